"""`rustac serve` on an exported file answers as the API did: the mirror is a STAC API again."""

from pathlib import Path
from typing import Any

import pytest
import requests

from stac_assets_tests.geoparquet.exporting import export, scene
from stac_assets_tests.geoparquet.readers import Readers, needs_readers
from stac_assets_tests.loads import load_catalog, load_days
from stac_assets_tests.stac_api import StacApi, make_collection

pytestmark = needs_readers
QUESTIONS: list[dict[str, Any]] = [
    {},
    {"ids": "scene-1-2,scene-3-0"},
    {"ids": "nothing"},
    {"collections": "c1"},
    {"collections": "c2"},
    {"bbox": "24.5,51,31.5,54"},
    {"bbox": "-180,-90,9.9,90"},
    {"datetime": "2024-01-02T00:00:00Z/2024-01-03T23:59:59Z"},
    {"datetime": "../2024-01-01T10:00:00Z"},
    {"datetime": "2024-01-03T10:00:00Z", "bbox": "0,51,20.5,54", "collections": "c1"},
]


def answered(url: str, question: dict[str, Any]) -> list[str]:
    answer = requests.get(f"{url}/search", params={"limit": 100, **question}, timeout=30)
    answer.raise_for_status()
    return sorted(item["id"] for item in answer.json()["features"])


@pytest.fixture
def mirrored(api: StacApi, project: Path) -> Path:
    """A file with what the API has."""
    api.collections.append(make_collection("c1"))
    for day in (1, 2, 3):
        for number in range(4):
            api.put(scene(number, day, longitude=10.0 * number))
    load_days(api, last="2024-01-03")
    load_catalog(api, "collections")
    export(api, project / "c1.parquet")
    return project / "c1.parquet"


def test_the_same_ids_for_the_same_questions(api: StacApi, mirrored: Path, readers: Readers) -> None:
    with readers.serving(mirrored, mirrored.parent / "rustac.log") as url:
        collections = requests.get(f"{url}/collections", timeout=30).json()["collections"]
        assert [collection["id"] for collection in collections] == ["c1"]
        for question in QUESTIONS:
            assert answered(url, question) == answered(api.url, question), question
    assert len(answered(api.url, {})) == 12
