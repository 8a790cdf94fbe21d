"""What the tests of exported files share: an export in one line, the files, and items as others read them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stac_assets.export.exporting import Days, export_collection
from stac_assets.export.result import Exported
from stac_assets.stac.windows import parse_time
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.loads import catalog_for
from stac_assets_tests.stac_api import StacApi, make_item

SAMPLES = REPOSITORY.parent / "shared" / "stac-samples"
TIMES = ("datetime", "start_datetime", "end_datetime", "created", "updated", "expires", "published")
Document = dict[str, Any]
ALL = Days()


def export(
    api: StacApi, to: str | Path, days: Days | Sequence[Any] = ALL, collection: str = "c1", **settings: Any
) -> Exported:
    """Export a collection from the destination of the project in the current folder."""
    rewrites = settings.pop("rewrites", True)
    return export_collection(
        catalog_for(api, **settings), collection, str(to), days, rewrites=rewrites, tell=lambda line: None
    )


def scene(number: int, day: int = 1, longitude: float = 13.0, **properties: Any) -> Document:
    """An item with a box and an asset."""
    west, south = longitude, 52.0
    ring = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1], [west, south]]
    item = make_item(f"scene-{day}-{number}", datetime=f"2024-01-{day:02}T10:00:00Z", **properties)
    item["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    item["bbox"] = [west, south, west + 1, south + 1]
    item["assets"] = {"red": {"href": f"https://data.example.com/{number}/red.tif", "roles": ["data"]}}
    return item


def names(folder: Path, collection: str = "c1") -> list[str]:
    """The files of a collection."""
    return sorted(path.name for path in (folder / collection).iterdir()) if folder.exists() else []


def ids_in(path: Path) -> list[str]:
    """The ids in a file, in their order."""
    return pq.read_table(path, columns=["id"])["id"].to_pylist()


def footer_of(path: Path) -> dict[str, Any]:
    """The metadata of a file under the keys of GeoParquet and stac-geoparquet."""
    found = pq.read_metadata(path).metadata or {}
    return {name: json.loads(found[name.encode()]) for name in ("geo", "stac-geoparquet")}


def recorded(name: str = "items.ndjson") -> dict[str, list[Document]]:
    """Recorded items by collection; none where there are none on this machine."""
    found: dict[str, list[Document]] = {}
    if (SAMPLES / name).exists():
        for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            found.setdefault(item["collection"], []).append(item)
    return found


def by_id(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Items as files can hold them: without nulls, with numbers as numbers and times as instants.

    rustac leaves out an empty list of extensions, and makes a MultiPolygon of a Polygon beside others.
    """
    found = {item["id"]: _plain(item) for item in items}
    for item in found.values():
        if not item.get("stac_extensions", True):
            del item["stac_extensions"]
        if len(item["geometry"]["coordinates"]) == 1 and item["geometry"]["type"] == "MultiPolygon":
            item["geometry"] = {"type": "Polygon", "coordinates": item["geometry"]["coordinates"][0]}
    return found


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each, key) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return parse_time(value) if name in TIMES else value
