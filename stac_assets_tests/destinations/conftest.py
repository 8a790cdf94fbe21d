"""Fixtures of the warehouses: each of them once, as the project's destination, and without a network."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stac_assets_tests.conftest import enter_project
from stac_assets_tests.destinations.dry import WAREHOUSES, environment


@pytest.fixture(params=WAREHOUSES)
def warehouse(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a warehouse that the environment makes the destination."""
    for name, value in environment(request.param).items():
        monkeypatch.setenv(name, value)
    enter_project(project, monkeypatch)
    return request.param


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever connects to anything but this machine fails the test."""
    connect = socket.socket.connect
    resolve = socket.getaddrinfo
    tried: list[object] = []

    def connect_here(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX and not str(address).startswith(("('127.0.0.1'", "('::1'")):
            tried.append(address)
            raise ConnectionError(f"a test connects to {address}")
        connect(self, address)  # type: ignore[arg-type]

    def resolve_here(host: object, *args: object, **kwargs: object) -> object:
        if host not in ("127.0.0.1", "localhost", None):
            tried.append(host)
            raise ConnectionError(f"a test looks up {host}")
        return resolve(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
    yield
    assert tried == []
