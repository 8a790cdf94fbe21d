"""Fixtures of lakes; a test module names this one in `pytest_plugins`."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.destinations.lake import FORMATS, Lake, configured
from stac_assets_tests.destinations.s3 import S3

PLACES = ("local", "s3")
EVERYWHERE = tuple(f"{form}-{place}" for form in FORMATS for place in PLACES)
"""For tests of what formats and places could do to each other."""
USUAL = ("delta-s3", "parquet-local")
"""For all others: each format and each place once."""
_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A server of S3, of the session."""
    running = S3.start()
    yield running
    running.server.stop()


@pytest.fixture(params=USUAL)
def lake(request: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty place, which the project in the current folder is configured to load into."""
    form, _, place = request.param.partition("-")
    if place == "local":
        return configured(Lake(form, (project / "lake").as_uri()), monkeypatch)
    server: S3 = request.getfixturevalue("s3")
    return configured(Lake(form, server.new_bucket(f"lake-{next(_numbers)}"), server), monkeypatch)
