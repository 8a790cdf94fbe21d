"""What the tests of commands share: a run of a command, and what it said."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stac_assets.cli.main import main
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.stac_api import StacApi, make_item

SETTING = "SOURCES__PYSTAC_CLIENT_SOURCE__"
QUICK = {"BACKOFF": "0.001", "MAX_BACKOFF": "0.002", "MAX_RETRIES": "1", "COLLECTIONS": '["c1"]'}
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
CLOUDY: dict[str, Any] = {"eo:cloud_cover": 3}
ODDLY_CLOUDY: dict[str, Any] = {"eo:cloud_cover": "many"}
TOKEN = "s3cret-t0ken-of-a-user"
MODULE = [sys.executable, "-m", "stac_assets.cli.main"]
WEEK = ["--start", "2024-01-01", "--end", "2024-01-07"]


class Said(NamedTuple):
    status: int
    out: str
    err: str

    def figure(self, name: str) -> str:
        """A value of the table that ends a load."""
        found = re.search(rf"│ {re.escape(name)} +│ +(.*?) +│", self.out)
        assert found, self.out
        return found[1]


Run = Callable[..., Said]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        status = main(list(arguments))
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return run


def environment(api: StacApi, **others: str) -> dict[str, str]:
    """The environment of a process of its own."""
    settings = {SETTING + name: value for name, value in {**QUICK, "BASE_URL": api.url}.items()}
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), **settings, **others}


def run_in(folder: Path, environment: dict[str, str], *command: str) -> str:
    """What a command in another process says; it must succeed."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def day_items(first: int, last: int, per_day: int = 1, **properties: Any) -> list[dict[str, Any]]:
    return [
        make_item(f"i{day}-{n}", datetime=f"2024-01-{day:02}T12:00:00Z", **properties)
        for day in range(first, last + 1)
        for n in range(per_day)
    ]


def fill(api: StacApi, items: list[dict[str, Any]]) -> None:
    for item in items:
        api.put(item)
