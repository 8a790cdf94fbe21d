"""Tables that were stored without the column `geom`: loads fill it, and `stac-assets backfill-geometry`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import shapely

from stac_assets.pipeline.destinations import duckdb_fill
from stac_assets.pipeline.destinations.filesystem import fill as files_fill
from stac_assets_tests.commanding import SETTING, Run
from stac_assets_tests.geometry.conftest import Shapes
from stac_assets_tests.geometry.shapes import NO_SHAPES, SHAPES, put
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi, make_item

SECOND = "2024-01-02"
COMMAND = "backfill-geometry"
POINT, LINE = (shapely.from_geojson(json.dumps(SHAPES[name])) for name in ("point", "line"))


@pytest.fixture
def earlier(shapes: Shapes, api: StacApi) -> Shapes:
    """Two days of a table without the column."""
    put(api, {"point": SHAPES["point"], "text": NO_SHAPES["text"]})
    put(api, {"line": SHAPES["line"]}, SECOND)
    api.put(make_item("null", datetime=f"{SECOND}T12:00:00Z", extra={"geometry": None}))
    load_days(api, last=SECOND, geometry="none")
    assert "geom" not in shapes.columns()
    return shapes


def test_a_partition_gets_them_as_it_is_loaded_again(earlier: Shapes, api: StacApi) -> None:
    load_days(api)
    assert earlier.of() == {"point": POINT, "text": None, "line": None, "null": None}
    load_days(api, first=SECOND)
    assert earlier.of() == {"point": POINT, "text": None, "line": LINE, "null": None}


def test_the_command_fills_all_rows_and_twice_is_the_same(earlier: Shapes, api: StacApi, run: Run) -> None:
    load_days(api, "item", item_ids=["point"], geometry="none")
    api.reset()
    said = run(COMMAND)
    assert (said.status, said.err) == (0, "")
    left = "1 have GeoJSON of which no geometry can be made"
    assert said.out.splitlines() == [f"search: 2 geometries filled, {left}", "item: 1 geometry filled"]
    assert api.requests == []
    wanted = {"point": POINT, "text": None, "line": LINE, "null": None}
    assert (earlier.of(), earlier.of("item")) == (wanted, {"point": POINT})

    again = run(COMMAND)
    assert again.out.splitlines() == [f"search: 0 geometries filled, {left}", "item: 0 geometries filled"]
    assert (earlier.of(), earlier.of("item")) == (wanted, {"point": POINT})

    load_days(api, last=SECOND)
    assert earlier.of() == wanted, "loads go on with the column"


def test_the_command_fills_what_loads_have_left(earlier: Shapes, api: StacApi, run: Run) -> None:
    load_days(api)
    assert run(COMMAND).out.startswith("search: 1 geometry filled")
    assert earlier.of() == {"point": POINT, "text": None, "line": LINE, "null": None}


def test_a_fill_that_was_interrupted_goes_on(
    earlier: Shapes, api: StacApi, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some rows at a time are filled; who is interrupted in the second portion has filled the first."""
    with monkeypatch.context() as patch:
        for module, portion in ((duckdb_fill, "ROWS"), (files_fill, "PARTITIONS")):
            patch.setattr(module, portion, 1)
            patch.setattr(module, "as_wkb", interrupted_after(1, module.as_wkb))
        assert run(COMMAND).status != 0
    found = earlier.of()
    assert len(found) == 4
    assert sum(shape is not None for shape in found.values()) == 1

    assert run(COMMAND).out.startswith("search: 1 geometry filled")
    assert earlier.of() == {"point": POINT, "text": None, "line": LINE, "null": None}


def interrupted_after(calls: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, until somebody presses Ctrl+C in one of its later calls that has something to do."""
    done: list[None] = []

    def call(texts: Any) -> Any:
        if len(texts) > texts.null_count:
            done.append(None)
            if len(done) > calls:
                raise KeyboardInterrupt
        return function(texts)

    return call


def test_there_is_nothing_to_fill_without_a_table_or_a_column(shapes: Shapes, api: StacApi, run: Run) -> None:
    said = run(COMMAND)
    assert (said.status, said.out) == (1, "")
    assert "there is no table of items yet: nothing was filled" in said.err


def test_nothing_is_filled_where_no_geometries_are_wanted(
    earlier: Shapes, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING + "GEOMETRY", "none")
    said = run(COMMAND)
    assert said.status != 0 and "geometry is none, so there is no column to fill" in said.err
    assert "geom" not in earlier.columns()
