"""Writes the sample catalog: four collection documents, and all their items in one file.

The catalog is generated, never downloaded, and the same on every machine: no clock, no network, fixed seeds.
`rustac serve` takes one collection document a file and refuses collections among the items of an NDJSON
file, so there are five files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from stac_assets.demo import documents, satellites, surveys
from stac_assets.demo.documents import AERIAL, CLIMATE, LANDSAT, SENTINEL, SITE, Json, stamp

COLLECTIONS: tuple[str, ...] = (SENTINEL, LANDSAT, CLIMATE, AERIAL)
FIRST_DAY: date = documents.FIRST_DAY
LAST_DAY: date = documents.LAST_DAY

_ITEMS = {
    SENTINEL: satellites.sentinel_2,
    LANDSAT: satellites.landsat,
    CLIMATE: surveys.climate,
    AERIAL: surveys.aerial,
}
# title, what it shows, licence, producer, keywords
_ABOUT = {
    SENTINEL: (
        "Sample optical tiles, 10 m",
        "Surface reflectance on the Sentinel-2 grid: eight regions, every tile once in five days, a few of "
        "them processed twice. The widest items of the catalog, with 35 assets each.",
        "CC-BY-4.0",
        "Sample Optical Centre",
        ("optical", "reflectance", "10 m"),
    ),
    LANDSAT: (
        "Sample optical and thermal scenes, 30 m",
        "Reflectance and temperature of the surface on the Landsat paths: every path once in eight days, and "
        "three days in January 2024 on which the instrument was off.",
        "CC0-1.0",
        "Sample Mapping Agency",
        ("optical", "thermal", "30 m"),
    ),
    CLIMATE: (
        "Sample climate mosaics",
        "Temperature, precipitation, soil moisture and snow over ten belts of the world, composed from one "
        "to ten days. These items have an interval and no single time.",
        "ODbL-1.0",
        "Sample Climate Office",
        ("climate", "mosaic", "interval"),
    ),
    AERIAL: (
        "Sample aerial photographs",
        "Small photographs from flights over four towns, at every hour of the day and on its very edges.",
        "PDDL-1.0",
        "Sample Air Survey",
        ("aerial", "photograph", "high resolution"),
    ),
}


def write_catalog(folder: Path) -> list[Path]:
    """Writes the catalog below `folder`, unless this very generator has already done so; returns its files.

    The catalog's own folder is named after a digest of the generator's source, so nobody has to remember to
    raise a version. It is built aside and then renamed: it is there as a whole or not at all, also when
    two processes write at once.
    """
    catalog = folder / f"catalog-{_version()}"
    if not catalog.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix="draft-") as draft:
            _write(Path(draft) / "catalog")
            try:
                (Path(draft) / "catalog").rename(catalog)
            except OSError:
                if not catalog.is_dir():  # else another process was faster, with the same content
                    raise
    return [*(catalog / f"{collection}.json" for collection in COLLECTIONS), catalog / "items.ndjson"]


def _version() -> str:
    modules = ("catalog", "documents", "footprints", "satellites", "surveys")
    sources = (Path(__file__).with_name(f"{module}.py").read_bytes() for module in modules)
    return hashlib.sha256(b"".join(sources)).hexdigest()[:12]


def _write(catalog: Path) -> None:
    catalog.mkdir()
    with (catalog / "items.ndjson").open("w", encoding="utf-8", newline="\n") as lines:
        for collection in COLLECTIONS:
            seen = _Seen()
            for item in seen.watch(_ITEMS[collection]()):
                lines.write(json.dumps(item, separators=(",", ":")) + "\n")
            document = json.dumps(_collection(collection, seen), indent=2)
            (catalog / f"{collection}.json").write_text(document + "\n", encoding="utf-8")


@dataclass
class _Seen:
    """What a collection document says about its items, gathered while they pass: 35 MB are not kept."""

    boxes: list[list[float]] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    platforms: set[str] = field(default_factory=set)
    assets: Json = field(default_factory=dict)
    stac_version: str = ""

    def watch(self, items: Iterable[Json]) -> Iterator[Json]:
        for item in items:
            properties = item["properties"]
            west, south, *_ = item["bbox"]
            east, north = item["bbox"][len(item["bbox"]) // 2 :][:2]
            self.boxes.append([west, south, east, north] if west <= east else [-180.0, south, 180.0, north])
            instants = (properties.get(name) for name in ("datetime", "start_datetime", "end_datetime"))
            self.times += [datetime.fromisoformat(instant) for instant in instants if instant]
            self.platforms.update(value for name, value in properties.items() if name == "platform")
            self.assets |= item["assets"]
            self.stac_version = item["stac_version"]
            yield item

    @property
    def extent(self) -> Json:
        wests, souths, easts, norths = zip(*self.boxes, strict=True)
        interval = [stamp(min(self.times)), stamp(max(self.times))]
        box = [min(wests), min(souths), max(easts), max(norths)]
        return {"spatial": {"bbox": [box]}, "temporal": {"interval": [interval]}}


def _collection(name: str, seen: _Seen) -> Json:
    title, description, licence, producer, keywords = _ABOUT[name]
    parts = ("type", "title", "roles")
    kinds = {key: {part: asset[part] for part in parts} for key, asset in seen.assets.items()}
    extensions = ["https://stac-extensions.github.io/item-assets/v1.0.0/schema.json"]
    return {
        "type": "Collection",
        "stac_version": seen.stac_version,
        "stac_extensions": extensions if seen.stac_version == "1.0.0" else [],
        "id": name,
        "title": title,
        "description": f"{description} Generated sample data: the places are real, the scenes are not.",
        "keywords": [*keywords, "sample"],
        "license": licence,
        "providers": [
            {"name": producer, "roles": ["producer", "licensor"], "url": f"{SITE}/{name}"},
            {"name": "Local sample API", "roles": ["host"]},
        ],
        "extent": seen.extent,
        "summaries": {"platform": sorted(seen.platforms)} if seen.platforms else {},
        "item_assets": kinds,
        "links": [{"rel": "about", "href": f"{SITE}/{name}", "type": "text/html", "title": title}],
    }
