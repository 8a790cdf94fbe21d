"""Two hosts that refresh items of one day in a Delta table at once: none undoes what the other stored."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stac_assets.pipeline.destinations.filesystem.delta import DeltaFiles
from stac_assets_tests.destinations.lake import Lake
from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi, make_item

pytest_plugins = ["stac_assets_tests.destinations.lakes"]


@pytest.fixture(scope="module")
def other_host() -> Iterator[Forker]:
    with Forker() as server:
        yield server


def load_there(url: str, item_ids: list[str], folder: str) -> None:
    """Load items on a host whose locks are its own."""
    os.environ["DLT_DATA_DIR"] = folder
    load_days(url, "item", item_ids=item_ids)


@pytest.mark.parametrize(
    ("lake", "here", "there"),
    [("delta-s3", "a", "b"), ("delta-local", "a", "a"), ("delta-local", "gone", "b")],
    indirect=["lake"],
)
def test_both_are_stored(
    lake: Lake,
    api: StacApi,
    other_host: Forker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    here: str,
    there: str,
) -> None:
    for id in ("a", "b", "c", "gone"):
        api.put(make_item(id, version="old"))
    load_days(api, "item", item_ids=["a", "b", "c", "gone"])
    for id in ("a", "b"):
        api.put(make_item(id, version="new"))
    api.remove("c1", "gone")
    replace, waiting = DeltaFiles.replace, [there]

    def replace_second(self: DeltaFiles, *arguments: Any) -> None:
        while waiting and self._url.endswith("/item"):
            ended = other_host.run(
                load_there, url=api.url, item_ids=[waiting.pop()], folder=str(tmp_path / "there")
            )
            assert ended.status == 0, ended.raised
        replace(self, *arguments)

    monkeypatch.setattr(DeltaFiles, "replace", replace_second)
    load_days(api, "item", item_ids=[here])
    assert not waiting
    versions = {row["id"]: row["version"] for row in lake.rows("item")}
    refreshed = dict.fromkeys({here, there} - {"gone"}, "new")
    expected = {**dict.fromkeys("abc", "old"), "gone": "old", **refreshed}
    if here == "gone":
        del expected["gone"]
    assert versions == expected and len(lake.rows("item")) == len(expected)
