"""Somebody in a clone's folder, who types what an example or a page says."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stac_assets_tests.commands import BIN
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.stac_api import StacApi, make_item

BERLIN = {"geometry": {"type": "Point", "coordinates": [13.4, 52.5]}, "bbox": [13.4, 52.5, 13.4, 52.5]}
COLLECTION = "sentinel-2-l2a"


class Shell:
    """Runs commands in a folder, with those of this environment on the PATH.

    Args:
        folder: where they are typed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        self.environment.pop("PYTHONPATH", None)  # what is installed is found without

    def __call__(self, commands: str) -> str:
        """What commands print, which have to succeed."""
        done = self.run(commands)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, commands: str) -> "subprocess.CompletedProcess[str]":
        """The end of commands of which one may fail."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture
def scenes(api: StacApi) -> StacApi:
    """An API that sorts, with items of five days over Berlin, which have clouds and thumbnails."""
    api.extensions = ("sortby",)
    for day in range(1, 6):
        put_scene(api, f"scene-{day}", f"2024-01-0{day}", clouds=4.5 if day < 5 else 80)
    return api


def put_scene(api: StacApi, id: str, day: str, clouds: float = 4.5) -> None:
    """Add or replace a scene, whose thumbnail is what the API answers below `/pictures`."""
    item = make_item(id, COLLECTION, f"{day}T10:00:00Z", extra=BERLIN)
    item["properties"]["eo:cloud_cover"] = clouds
    item["assets"] = {"thumbnail": {"href": f"{api.url}/pictures/{id}.jpg"}}
    api.put(item)


@pytest.fixture
def clone(project: Path, scenes: StacApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """The folder of a clone, as far as its examples need it, whose environment names the API."""
    shutil.copytree(REPOSITORY / "examples", project / "examples")
    shutil.copy(REPOSITORY / "dagster.yaml", project)
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL", scenes.url)
    yield Shell(project)
