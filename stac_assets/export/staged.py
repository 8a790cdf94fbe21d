"""Rows that wait in a DuckDB of the run, on disk where they are many, until the structure of all is known.

A schema must be known before the first file is written, and a table must not be read twice, because a load
may change it between. So memory does not grow with the number of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import shapely

from stac_assets.export.shapes import readable
from stac_assets.export.structure import NOTHING, TIMES, Structure, merged, of_document
from stac_assets.source.geometry import as_wkb
from stac_assets.stac.boxes import BOX

TEXTS = ("id", "collection", "stac_version")
DOCUMENTS = ("geometry", "properties", "assets", "links", "stac_extensions", "bbox", "extra")
COLUMNS = (*TEXTS, *TIMES, *BOX, *DOCUMENTS)
"""What is read of a table of items."""
MEMORY = "512MB"
"""What DuckDB keeps in memory; what is more it writes into the folder."""
ROWS = 2048
"""Rows that are made into columns at a time."""
MOST_SORTED = 64 * 1024 * 1024
"""Bytes of rows that are sorted at a time."""
MOST_SEEN = 10_000
"""Structures that are remembered, so that they need not be taken in again; mostly there are a few."""
BITS = 16
"""Of a longitude and of a latitude, where rows are sorted in space."""

_STAGED = pa.schema(
    [
        *((name, pa.string()) for name in TEXTS),
        *((name, pa.timestamp("us", tz="UTC")) for name in TIMES),
        *((name, pa.float64()) for name in BOX),
        *((name, pa.string()) for name in DOCUMENTS),
        ("geom", pa.binary()),
        ("part", pa.int32()),
        ("curve", pa.uint32()),
    ]
)
_HEIGHT = "CASE WHEN json_array_length(bbox) = 6 THEN try_cast(bbox::JSON->>'$[{}]' AS DOUBLE) END"


@dataclass
class Extent:
    """What the geometries of some rows are, for the footer of their file."""

    kinds: set[str] = field(default_factory=set)
    bounds: list[float] | None = None
    without_geometry: list[str] = field(default_factory=list)
    """The ids of items that have no geometry, or one that is none."""
    rows: int = 0

    def add(self, ids: list[str], geometries: Any) -> None:
        """Count some more."""
        self.rows += len(ids)
        there = ~shapely.is_missing(geometries)
        self.without_geometry += [each for each, is_there in zip(ids, there, strict=True) if not is_there]
        found = geometries[there]
        pairs = set(zip(shapely.get_type_id(found), shapely.has_z(found), strict=True))
        for kind, has_z in pairs:
            name = shapely.GeometryType(kind).name
            self.kinds.add(_KINDS.get(name, name.title()) + (" Z" if has_z else ""))
        bounds = shapely.total_bounds(found) if len(found) else np.full(4, np.nan)
        if not np.isnan(bounds).any():
            old = self.bounds or bounds
            least, most = np.minimum(old[:2], bounds[:2]), np.maximum(old[2:], bounds[2:])
            self.bounds = [*least.tolist(), *most.tolist()]


_KINDS = {
    "LINESTRING": "LineString",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}


class StagedRows:
    """Rows of a table of items, in numbered parts, each of which becomes a file.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.extents: dict[int, Extent] = {}
        self._connection = duckdb.connect(config={"temp_directory": str(folder), "memory_limit": MEMORY})
        for setting in ("TimeZone = 'UTC'", "preserve_insertion_order = false"):
            self._connection.execute(f"SET {setting}")
        self._connection.register("rows", _STAGED.empty_table())
        heights = f"{_HEIGHT.format(2)} AS zmin, {_HEIGHT.format(5)} AS zmax"
        self._query = f"SELECT *, {heights} FROM rows"  # noqa: S608
        self._connection.execute(f"CREATE TABLE staged AS {self._query}")
        self._structure = Structure()
        self._bytes = 0
        self._seen: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, part: int, rows: pa.Table) -> None:
        """Add rows, which have `COLUMNS`, to a part; not too many at a time, as they are held in memory."""
        self._bytes += rows.nbytes
        rows = pa.table({name: rows[name].cast(_STAGED.field(name).type) for name in COLUMNS})
        derived = as_wkb(rows["geometry"].combine_chunks())
        geometries = readable(shapely.from_wkb(derived.to_numpy(zero_copy_only=False)))
        self.extents.setdefault(part, Extent()).add(rows["id"].to_pylist(), geometries)
        box = _boxes(rows, geometries)
        columns = {name: rows[name] for name in (*TEXTS, *TIMES)}
        columns |= {name: pa.array(box[:, place], from_pandas=True) for place, name in enumerate(BOX)}
        columns |= {name: rows[name] for name in DOCUMENTS}
        columns |= {
            "geom": pa.array(shapely.to_wkb(geometries, flavor="iso"), pa.binary()),
            "part": pa.array(np.full(len(box), part)),
            "curve": pa.array(_curve(box)),
        }
        self._connection.register("rows", pa.table(columns).cast(_STAGED))
        self._connection.execute(f"INSERT INTO staged {self._query}")
        self._note_structures()

    def structure(self) -> Structure:
        """The structure of all rows."""
        if self._structure.assets_as == "map":
            return self._structure
        (of_one,) = self._connection.execute(
            """
            SELECT count(*) FROM (SELECT key FROM (SELECT unnest(json_keys(assets)) AS key FROM staged)
            GROUP BY key HAVING count(*) = 1)
            """
        ).fetchone() or (0,)
        return self._structure.settled(of_one, sum(extent.rows for extent in self.extents.values()))

    def _note_structures(self) -> None:
        """Take the structures of rows that are being added to those that are known."""
        found: dict[str, Any] = {}
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        for name, text in self._connection.execute(_STRUCTURES).fetchall():
            if text is not None and (name, text) not in self._seen:
                self._seen.add((name, text))
                found[name] = merged(found.get(name, NOTHING), of_document(name, text))
        (flat,) = self._connection.execute(_FLAT).fetchone() or (0,)
        kinds = {name: found.get(name, NOTHING) for name in _KINDS_OF}
        self._structure = self._structure.with_(Structure.found(**kinds, dimensions=2 if flat else 3))

    def read(self, structure: Structure, part: int | None) -> Iterator[pa.RecordBatch]:
        """The rows of a part, or of all, sorted in space.

        Their documents are structs: `properties`, `assets`, `links`, `stac_extensions` and `extra`.
        """
        wanted = {
            "properties": structure.of_properties,
            "assets": structure.of_assets,
            "links": structure.of_links,
            "extra": structure.of_others,
        }
        columns = {
            name: f"{_whole(name, kind, f'from_json({_KINDS_OF.get(name, _OTHERS)}, ?)')} AS {name}"
            for name, kind in wanted.items()
            if kind
        }
        plain = [*TEXTS, *TIMES, *BOX, "zmin", "zmax", "geom"]
        documents = _texts(wanted[name] for name in columns)
        where = "true" if part is None else f"part = {int(part)}"
        for first, last in self._ranges(where):
            yield from self._connection.execute(
                f"SELECT {', '.join([*plain, _EXTENSIONS, *columns.values()])} FROM (SELECT * FROM staged "  # noqa: S608
                f"WHERE {where} AND curve BETWEEN {first} AND {last} ORDER BY curve, id)",
                documents,
            ).to_arrow_reader(ROWS)

    def _ranges(self, where: str) -> Iterator[tuple[int, int]]:
        """Ranges of the curve, of whose rows each has no more than DuckDB sorts within its memory."""
        rows = max(1, sum(extent.rows for extent in self.extents.values()))
        most = max(ROWS, MOST_SORTED * rows // max(1, self._bytes))
        bounds = self._connection.execute(
            "SELECT DISTINCT curve FROM (SELECT curve, row_number() OVER (ORDER BY curve) AS place "  # noqa: S608
            f"FROM staged WHERE {where}) WHERE place % {most} = 0 ORDER BY curve"
        ).fetchall()
        first = 0
        for (bound,) in [*bounds, (2 ** (2 * BITS) - 1,)]:
            if first <= bound:
                yield first, bound
            first = bound + 1


_OTHERS = "CASE json_type(extra) WHEN 'ARRAY' THEN extra::JSON->0 ELSE extra::JSON END"
"""Other members, of which the column `extra` may also name absent ones (`source/rows.py`)."""
_KINDS_OF = {
    "properties": "properties",
    "assets": "assets",
    "links": "links",
    "others": _OTHERS,
}
_STRUCTURES = " UNION ALL ".join(
    f"SELECT DISTINCT '{name}', json_structure({value}) FROM rows"  # noqa: S608
    for name, value in _KINDS_OF.items()
)
"""Of rows that are being added. `json_group_structure` makes one document of all, and takes twice as long."""
_FLAT = "SELECT count(*) FROM rows WHERE bbox IS NULL OR json_array_length(bbox) <> 6"
_EXTENSIONS = """coalesce(from_json(stac_extensions, '["VARCHAR"]'), []::VARCHAR[]) AS stac_extensions"""


def _whole(name: str, kind: Any, value: str) -> str:
    """A document without links and assets that lack what each of them has; readers fail on such a file."""
    if name == "links" and isinstance(kind[0], dict):
        has_all = "link.href IS NOT NULL AND link.rel IS NOT NULL"
        return f"coalesce(list_filter({value}, lambda link: {has_all}), [])"
    if name == "assets" and isinstance(kind, str):
        kept = f"list_filter(map_entries({value}), lambda asset: asset.value.href IS NOT NULL)"
        return f"coalesce(map_from_entries({kept}), MAP {{}})"
    return value


def _texts(kinds: Any) -> list[str]:
    return [msgspec.json.encode(kind).decode() for kind in kinds]


def _boxes(rows: pa.Table, geometries: Any) -> Any:
    """The boxes of items; of one without a box that of its geometry, by which readers find it."""
    box = np.column_stack([rows[name].to_numpy() for name in BOX]).astype(float)
    lacking = np.isnan(box).any(axis=1)
    box[lacking] = shapely.bounds(geometries[lacking])
    return box


def _curve(box: Any) -> Any:
    """Where the centres of boxes are on a curve that fills the world (Z-order): near on it, near on earth.

    A box across the antimeridian is taken for the point where it begins.
    """
    west, south, east, north = box.T
    east = np.where(west > east, west, east)
    centre = np.nan_to_num(
        np.column_stack([((west + east) / 2 + 180) / 360, ((south + north) / 2 + 90) / 180])
    )
    cells = (np.clip(centre, 0, 1) * (2**BITS - 1)).astype(np.uint32)
    found = np.zeros(len(box), np.uint32)
    for bit in range(BITS):
        found |= ((cells[:, 0] >> bit) & 1) << np.uint32(2 * bit) | ((cells[:, 1] >> bit) & 1) << np.uint32(
            2 * bit + 1
        )
    return found
