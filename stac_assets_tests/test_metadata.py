"""What a materialization shows: figures, a sample, links that work, and pictures."""

import json
import re
import shlex
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from datetime import date
from typing import Any
from xml.etree import ElementTree

import dagster as dg

from stac_assets.orchestration.pictures.bars import bars
from stac_assets.orchestration.run_log import Heartbeat
from stac_assets.stac.figures import Figures
from stac_assets.stac.windows import Window
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import Runs, told

SVG = "{http://www.w3.org/2000/svg}"


def drawn(markdown: str) -> ElementTree.Element:
    """The picture in a Markdown text."""
    found = re.search(r"\(data:image/svg\+xml;base64,([^)]+)\)", markdown)
    assert found
    return ElementTree.fromstring(b64decode(found[1]))


def rings(picture: ElementTree.Element) -> int:
    """How many boxes the last layer of a map shows."""
    return picture.findall(f"{SVG}path")[-1].attrib["d"].count("Z")


def fetched_ids(answer: bytes) -> list[str]:
    return [item["id"] for item in json.loads(answer)["features"]]


def test_each_partition_shows_its_rows_and_how_to_ask_for_them(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    api.put(make_item("a", datetime="2024-01-01T10:00:00Z", gsd=10))
    api.put(make_item("b/1", datetime="2024-01-02T10:00:00Z", extra={"bbox": [179, -17, -179, -16]}))
    result = Runs(api, instance)("search", "c1|2024-01-01", "c1|2024-01-03")
    assert result.success
    found = told(result)
    first, second, third = (found[f"c1|2024-01-0{day}"] for day in (1, 2, 3))
    assert next(iter(first)) == "items"
    (row,) = (record.data for record in first["sample"].records)
    assert row["id"] == "a" and row["gsd"] == 10 and row["bbox_xmin"] == 10
    assert "start_datetime" not in row  # which is empty in all of them
    assert rings(drawn(first["footprints"])) == 1
    assert rings(drawn(second["footprints"])) == 1  # across the antimeridian, and not around the world
    assert second["footprints"].endswith("17°S to 16°S, 179°E to 179°W".replace("°", ".0°"))
    assert "sample" not in third and "footprints" not in third
    assert first["stac_browser"].endswith(f"/#/external/{api.url.replace('//', '/')}/collections/c1")
    assert second["first_item"].endswith("/collections/c1/items/b%2F1")
    assert len(drawn(third["items_by_date"]).findall(f"{SVG}rect")) == 3
    assert "items_by_date" not in first and "items_by_date" not in second
    assert first["seconds"] > 0 and first["items_per_second"] > 0
    with urllib.request.urlopen(first["request_link"]) as answer:
        assert fetched_ids(answer.read()) == ["a"]
    command = first["request"].removeprefix("```sh\n").removesuffix("\n```").replace("\\\n", "")
    program, url, option, body = shlex.split(command)
    assert (program, option) == ("curl", "--json")
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert fetched_ids(answer.read()) == ["a"]


def test_catalog_tables_show_rows_and_where_they_come_from(
    instance: dg.DagsterInstance, api: StacApi
) -> None:
    api.put(make_item("a"))
    runs = Runs(api, instance)
    found = told(runs("collections"))[None]
    assert [record.data["id"] for record in found["sample"].records] == ["c1"]
    assert found["request"] == f"{api.url}/collections"
    one = told(runs("collection", "c1"))["c1"]
    assert one["request"] == f"{api.url}/collections/c1"
    assert one["stac_browser"].endswith("/collections/c1")
    assert rings(drawn(one["footprints"])) == 1
    for name, path in (("client_root", ""), ("conformance", "/conformance"), ("queryables", "/queryables")):
        assert told(runs(name))[None]["request"] == f"{api.url}{path}"


def test_bars_have_a_place_for_every_date() -> None:
    found = bars({date(2024, 1, 1): 3, date(2024, 1, 2): 0, date(2024, 1, 3): 6}).value
    assert found is not None and "9 items by date, 2024-01-01 to 2024-01-03" in found
    heights = [float(bar.attrib["height"]) for bar in drawn(found).findall(f"{SVG}rect")]
    assert heights[1] == 0 and heights[2] == 2 * heights[0] > 0
    assert bars({date(2024, 1, 1): 0}).value


def test_a_run_tells_a_story(instance: dg.DagsterInstance, api: StacApi, capfd: Any) -> None:
    api.put(make_item("a"))
    api.fault("/search", status=503, headers={"Retry-After": "0"})
    assert Runs(api, instance)("search", "c1|2024-01-01", "c1|2024-01-02").success
    lines = [line for line in capfd.readouterr().err.splitlines() if " - INFO - " in line]
    story = "\n".join(lines)
    assert len(lines) <= 12
    assert f"search: 2 partitions of c1, 2024-01-01 to 2024-01-02, from {api.url} into " in story
    assert "1 request sent again" in story and "stored in" in story


def test_a_silent_load_shows_signs_of_life() -> None:
    lines: list[str] = []

    class Clock:
        """Ten seconds pass three times."""

        ticks: Iterator[bool] = iter([False, False, False, True])

        def wait(self, seconds: float) -> bool:
            assert seconds == 10
            return next(self.ticks)

        def set(self) -> None:
            pass

    heart = Heartbeat(lines.append, over=Clock())
    heart.page(Window("c1", date(2024, 1, 1), date(2024, 1, 2)), Figures(items=3, pages=1))
    with heart:
        pass
    assert lines == ["fetching: 3 items in 1 page of 1 partition"] * 3
