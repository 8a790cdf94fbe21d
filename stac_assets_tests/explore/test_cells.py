"""What the cells show is what the tables hold, in each destination."""

from collections import Counter
from pathlib import Path

import pytest
import shapely

from stac_assets.explore import footprints
from stac_assets.explore.properties import Distribution, distributions
from stac_assets_tests.explore.cells import Cells
from stac_assets_tests.explore.conftest import SETTING, Place
from stac_assets_tests.explore.published import BARE, FULL, LONG
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi, make_item

OF_FULL = "FROM {search} WHERE collection = 'full'"


def counts(found: Distribution) -> dict[str, int]:
    return dict(zip(found.counts["value"], found.counts["items"], strict=True))


def test_every_view_shows_what_the_tables_hold(loaded: Place) -> None:
    cells = Cells()
    cells.run_all()
    counts_what_is_there(loaded, cells)
    distributes_properties(loaded, cells)
    for collection in (BARE, LONG):
        says_what_is_lacking(collection)


def counts_what_is_there(loaded: Place, cells: Cells) -> None:
    known = cells.known

    by_collection = loaded.ask("SELECT collection, count(*) FROM {search} GROUP BY 1")
    assert dict(known["totals"]) == dict(by_collection)
    months = loaded.ask(
        "SELECT substr(_partition_key, 1, length(_partition_key) - 3), count(*) FROM {search} GROUP BY 1"
    )
    assert dict(zip(known["months"]["month_key"], known["months"]["items"], strict=True)) == dict(months)

    assert known["collection"].value == FULL
    days = loaded.ask(f"SELECT split_part(_partition_key, '|', 2), count(*) {OF_FULL} GROUP BY 1")
    assert dict(zip(known["days"]["day"], known["days"]["items"], strict=True)) == dict(days)
    assert "<strong>59</strong> items on <strong>59</strong> days of 2024" in cells.shown["calendar"]

    assert (known["found"].items, known["found"].nowhere) == (59, 0)
    assert set(known["found"].corners["kind"]) == {"area"} and len(known["found"].corners) == 59 * 5

    newest = loaded.ask(
        "SELECT id FROM {search} WHERE collection = 'full' ORDER BY datetime DESC, id LIMIT 12"
    )
    assert [item.id for item in known["shown"]] == [row[0] for row in newest]
    assert "&lt;i&gt;59&lt;/i&gt;" in cells.shown["newest_items"] and "<i>" not in cells.shown["newest_items"]
    assert 'src="https://data.example.com/59.png"' in cells.shown["newest_items"]

    changes = loaded.ask("SELECT change, count(*) FROM {item_changes} WHERE collection = 'full' GROUP BY 1")
    told = Counter(dict(known["counts"].groupby("change")["items"].sum()))
    assert told == dict(changes) == {"added": 60, "changed": 1, "removed": 1}
    assert set(known["last"]["change"][:2]) == {"changed", "removed"}


def distributes_properties(loaded: Place, cells: Cells) -> None:
    found = cells.known["properties"]
    assert list(found) == ["eo:cloud_cover", "platform", "gsd", "s2:degraded"]  # and no name of a product
    table = cells.known["mirror"].tables["search"]
    clouds, platforms, gsd, degraded = distributions(
        cells.known["mirror"], table, cells.known["some"], list(found.values())
    )
    rows = loaded.ask(f"SELECT eo_cloud_cover {OF_FULL}")
    bins = Counter(min(int(value * 25 / 88.5), 24) for (value,) in rows)
    assert [int(n) for n in clouds.counts["items"]] == [bins[place] for place in sorted(bins)]
    assert (clouds.low, clouds.high, clouds.missing) == (0, 88.5, 0)
    assert counts(platforms) == dict(
        loaded.ask("SELECT platform, count(*) FROM {search} WHERE collection = 'full' GROUP BY 1")
    )
    assert (list(gsd.counts["items"]), gsd.width) == ([59], 0)
    assert (counts(degraded), degraded.missing) == ({"true": 20}, 39)


def test_shapes_of_too_many_corners_are_simplified_or_become_boxes(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING + "BASE_URL", api.url)
    for number, corners in enumerate((200, 200, 3000)):
        circle = shapely.Point(5 * number, 0).buffer(1, quad_segs=corners // 4)
        extra = {"geometry": shapely.geometry.mapping(circle), "bbox": list(circle.bounds)}
        api.put(make_item(f"a{number}", extra=extra))
    load_days(api)
    cells = Cells()
    cells.run("map_of_footprints")
    drawn = cells.known["found"].corners.groupby("id").size()
    assert 10 < drawn["a0"] == drawn["a1"] < 100 and drawn["a2"] == 5
    monkeypatch.setattr(footprints, "MOST_CORNERS", 20)
    cells.run("map_of_footprints")
    assert list(cells.known["found"].corners.groupby("id").size()) == [5, 5, 5]


def says_what_is_lacking(collection: str) -> None:
    cells = Cells(collection)
    cells.run_all()
    is_bare = collection == BARE
    found = cells.known["found"]
    assert (found.items, found.nowhere) == ((0, 5) if is_bare else (3, 0))
    names = [] if is_bare else ["eo:cloud_cover", "gsd", "landsat:scenes"]
    assert list(cells.known["properties"]) == names
    assert ("No item of bare has a geometry" in cells.shown["map_of_footprints"]) == is_bare
    assert ("have no properties to be counted" in cells.shown["histograms"]) == is_bare
    assert "no thumbnail" in cells.shown["newest_items"]
