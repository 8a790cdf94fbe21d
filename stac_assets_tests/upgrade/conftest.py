"""A user's project of version 0.1.0, unpacked from `projects.tar.xz`, and the API that it mirrors."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dlt.common.runtime.run_context import switch_context

from stac_assets_tests.conftest import CONFIGURING, enter_project
from stac_assets_tests.upgrade.catalog import HostedApi

ARCHIVE = Path(__file__).with_name("projects.tar.xz")
MADE_IN = "/srv/stac"
"""The folder in which the projects were made; their user has not moved them."""
QUICK = {"BACKOFF": "0.001", "MAX_BACKOFF": "0.002", "MAX_RETRIES": "1"}
"""No test waits: the same rules, in milliseconds."""


@dataclass(frozen=True)
class Project:
    """A project folder as its user left it, which is the current folder."""

    folder: Path
    api: HostedApi
    environment: dict[str, str]
    """The variables that are set for it."""

    def says(self, command: str, *arguments: str, status: int = 0) -> str:
        """What a command says that its user types there: one of the virtual environment."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name(command)), *arguments],
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds both projects; nobody writes there."""
    folder = tmp_path_factory.mktemp("version-0.1.0")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def enter(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Project]]:
    """Copies one of the projects, goes there and serves its API."""
    for name in [name for name in os.environ if name.startswith(CONFIGURING)]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("http_proxy", raising=False)  # it would come before HTTP_PROXY
    data = tmp_path / "dlt-data"
    with HostedApi() as api:
        quick = {f"SOURCES__PYSTAC_CLIENT_SOURCE__{name}": value for name, value in QUICK.items()}
        environment = {"DLT_DATA_DIR": str(data), **quick, **api.environment}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

        def enter(name: str) -> Project:
            folder = shutil.copytree(unpacked / name, tmp_path / name)
            for file in folder.glob(".dlt/pipelines/*/state.json"):  # dlt keeps where its last run was
                file.write_text(file.read_text().replace(f"{MADE_IN}/{name}", str(folder)))
            shutil.copytree(folder / ".dlt" / "pipelines", data / "pipelines")  # where 0.1.0 had a copy of it
            enter_project(folder, monkeypatch)
            return Project(folder, api, environment)

        yield enter
    monkeypatch.undo()
    switch_context(".")


@pytest.fixture
def everything(enter: Callable[[str], Project]) -> Project:
    """The project whose partitions follow the API: `collections = "*"`, definitions of the package alone."""
    return enter("everything")


@pytest.fixture
def named(enter: Callable[[str], Project]) -> Project:
    """The project that names its collections, and merges an asset of its own in `definitions.py`."""
    return enter("named")


@pytest.fixture(params=["everything", "named"])
def either(request: pytest.FixtureRequest, enter: Callable[[str], Project]) -> Project:
    """Each of the two in turn."""
    return enter(request.param)
