"""The sample documents that the demo, the tests and the benchmarks share, and the API that serves them."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain, islice
from pathlib import Path
from statistics import mean
from typing import Any

import pystac
import pytest
import requests

from benchmarks.replay.catalog import Catalog
from stac_assets.demo import catalog
from stac_assets.demo.front import sample_api
from stac_assets.demo.rustac import DemoError
from stac_assets.demo.scenes import landsat_mosaic, sentinel_1, sentinel_2
from stac_assets.stac.errors import StacError

Json = dict[str, Any]
NOON = datetime(2024, 1, 5, 12, 0, 0, 345_000, tzinfo=UTC)
SCENES = [sentinel_2(0, NOON), sentinel_1(0, NOON), landsat_mosaic(0, NOON, NOON)]


def scalars(item: Json) -> int:
    return sum(not isinstance(value, list | dict) for value in item["properties"].values())


def corners(item: Json) -> list[list[float]]:
    polygons = item["geometry"]["coordinates"]
    rings = polygons if item["geometry"]["type"] == "Polygon" else chain.from_iterable(polygons)
    return list(chain.from_iterable(rings))


def test_the_sample_items_are_valid_and_different() -> None:
    items = list(catalog.items())
    assert len({item["id"] for item in items}) == len(items) >= 3_000
    assert {item["collection"] for item in items} == set(catalog.COLLECTIONS)
    for item in items[::50]:
        assert pystac.Item.from_dict(item).id == item["id"]  # and it has all that pystac asks for
    days: set[date] = set()
    for item in items:
        begin = item["properties"]["datetime"] or item["properties"]["start_datetime"]
        days.add(datetime.fromisoformat(begin).date())
        west, south, east, north = item["bbox"]
        assert -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90
        if item["geometry"]["type"] == "Polygon":
            assert {west, east} <= {x for x, _ in corners(item)} and west < east
        else:
            assert {x for x, _ in corners(item)} == {west, 180, -180, east} and west > east
        assert {south, north} == {y for _, y in corners(item)}
    assert (min(days), max(days), len(days)) == (catalog.FIRST_DAY, catalog.LAST_DAY, 30)
    assert {item["geometry"]["type"] for item in items} == {"Polygon", "MultiPolygon"}
    assert items[:500] == list(islice(catalog.items(), 500))


@pytest.mark.parametrize(
    ("kind", "size", "properties"), [("large", 17_000, 22), ("small", 3_100, 16), ("tiny", 1_200, 3)]
)
def test_items_of_the_benchmarks_have_the_sizes_that_targets_are_for(
    kind: str, size: int, properties: int
) -> None:
    catalog = Catalog(kind, 1_000, 4)
    texts = [b"".join(catalog.rendered(range(n, n + 1))) for n in range(0, 1_000, 5)]
    items = [json.loads(text) for text in texts]
    assert mean(map(len, texts)) == pytest.approx(size, rel=0.06)
    assert {scalars(item) for item in items} == {properties}
    assert len({item["id"] for item in items}) == len(items)
    assert len({json.dumps(item["geometry"]) for item in items}) == len(items)
    for item in items:
        west, south, east, north = item["bbox"]
        assert {west, east} <= {x for x, _ in corners(item)} and {south, north} == {
            y for _, y in corners(item)
        }


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sample API, with one item of each kind."""
    folder: Path = tmp_path_factory.mktemp("sample-api")
    (folder / "items.ndjson").write_text("\n".join(map(json.dumps, SCENES)), encoding="utf-8")
    with sample_api([folder / "items.ndjson"], log=folder / "log.txt") as found:
        yield found


def test_the_sample_api_has_the_queryables_that_it_claims(url: str) -> None:
    root = requests.get(url, timeout=10).json()
    (link,) = [link for link in root["links"] if link["rel"].endswith("/queryables")]
    assert link["href"] == f"{url}/queryables"
    assert root["conformsTo"] == requests.get(f"{url}/conformance", timeout=10).json()["conformsTo"]
    assert any(uri.endswith("/queryables") for uri in root["conformsTo"])

    def properties(href: str) -> Json:
        answer = requests.get(href, timeout=10)
        assert answer.headers["Content-Type"] == "application/schema+json"
        assert answer.json()["$id"] == href
        return {name: found["type"] for name, found in answer.json()["properties"].items()}

    assert {"id": "string", "datetime": "string", "created": "string"}.items() <= properties(
        link["href"]
    ).items()
    radar = properties(f"{url}/collections/sentinel-1-grd/queryables")
    assert (radar["s1:restituted"], radar["sat:relative_orbit"]) == ("boolean", "number")
    assert "instruments" not in radar and "eo:cloud_cover" not in radar
    assert requests.get(f"{url}/collections/none/queryables", timeout=10).status_code == 404


def test_the_sample_api_serves_everything_else_as_it_is(url: str) -> None:
    asked = {"collections": ["sentinel-2-l2a"], "limit": 1}
    page = requests.post(f"{url}/search", json=asked, timeout=10).json()
    (item,) = page["features"]
    assert item["properties"] == SCENES[0]["properties"] and item["assets"] == SCENES[0]["assets"]
    by_get = requests.get(f"{url}/search?collections=sentinel-2-l2a&limit=1", timeout=10).json()
    assert by_get["features"] == page["features"]
    links = {link["rel"]: link["href"] for link in item["links"]}
    assert requests.get(links["self"], timeout=10).json()["id"] == item["id"]
    assert links["self"].startswith(url)
    assert requests.get(f"{url}/collections/none", timeout=10).status_code == 404


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(DemoError, match=f"port {port}"), sample_api([], port, log=tmp_path / "log.txt"):
            pass
    assert issubclass(DemoError, StacError)  # which the command line tells without a traceback


def test_what_rustac_says_of_a_file_that_it_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    with (
        pytest.raises(DemoError, match="does not answer"),
        sample_api([tmp_path / "bad.json"], log=tmp_path / "log.txt"),
    ):
        pass
