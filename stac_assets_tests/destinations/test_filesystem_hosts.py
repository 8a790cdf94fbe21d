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


def let_another_be_faster(
    monkeypatch: pytest.MonkeyPatch, other_host: Forker, url: str, item_id: str, folder: Path
) -> list[str]:
    """Let another host load an item when this one has read the table; what is given is empty afterwards."""
    replace, waiting = DeltaFiles.replace, [item_id]

    def replace_second(self: DeltaFiles, *arguments: Any) -> None:
        while waiting and self._url.endswith("/item"):
            ended = other_host.run(load_there, url=url, item_ids=[waiting.pop()], folder=str(folder))
            assert ended.status == 0, ended.raised
        replace(self, *arguments)

    monkeypatch.setattr(DeltaFiles, "replace", replace_second)
    return waiting


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
    waiting = let_another_be_faster(monkeypatch, other_host, api.url, there, tmp_path / "there")
    load_days(api, "item", item_ids=[here])
    assert not waiting
    versions = {row["id"]: row["version"] for row in lake.rows("item")}
    refreshed = dict.fromkeys({here, there} - {"gone"}, "new")
    expected = {**dict.fromkeys("abc", "old"), "gone": "old", **refreshed}
    if here == "gone":
        del expected["gone"]
    assert versions == expected and len(lake.rows("item")) == len(expected)


@pytest.mark.parametrize("lake", ["delta-local"], indirect=True)
def test_a_table_that_another_host_has_just_made_keeps_its_rows(
    lake: Lake, api: StacApi, other_host: Forker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in ("a", "b"):
        api.put(make_item(id))
    waiting = let_another_be_faster(monkeypatch, other_host, api.url, "b", tmp_path / "there")
    load_days(api, "item", item_ids=["a"])
    assert not waiting
    assert sorted(row["id"] for row in lake.rows("item")) == ["a", "b"]
