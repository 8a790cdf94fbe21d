"""Columns of stac-geoparquet 1.1, made of rows whose documents are structs already."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stac_assets.export.structure import OTHER_TIMES, PROJECTED, TIMES, Structure
from stac_assets.source.geometry import FIELD, as_wkb
from stac_assets.stac.boxes import BOX

GEOMETRY = FIELD.with_name("geometry")
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_EDGES = dict(zip(BOX, ("xmin", "ymin", "xmax", "ymax"), strict=True))
_BOX = pa.struct([(name, pa.float64()) for name in _EDGES.values()])
_BOX_3D = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")])


def as_items(batch: pa.RecordBatch, structure: Structure) -> pa.RecordBatch:
    """The rows as stac-geoparquet has them: properties at the top level, times, a box, and WKB.

    Args:
        batch: rows as `StagedRows.read` gives them.
        structure: of the collection.
    """
    columns: dict[str, Any] = {}
    if "extra" in batch.schema.names:
        columns |= _members(batch["extra"])
    columns |= {name: batch[name] for name in ("stac_version", "stac_extensions", "id")}
    columns["geometry"] = batch["geom"]
    columns["bbox"] = _boxes(batch, structure.dimensions)
    columns["links"] = batch["links"]
    if "assets" in batch.schema.names:
        columns["assets"] = _with_wkb_below(_with_hrefs(batch["assets"]))
    columns["collection"] = batch["collection"]
    if "properties" in batch.schema.names:
        columns |= _members(batch["properties"])
    columns |= {name: batch[name] for name in TIMES if name in columns}
    columns |= {name: _in_calendar(columns[name]) for name in OTHER_TIMES if name in columns}
    if PROJECTED in columns:
        columns[PROJECTED] = as_wkb(columns[PROJECTED])
    fields = [GEOMETRY if name == "geometry" else pa.field(name, each.type) for name, each in columns.items()]
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=pa.schema(fields))


def schema_of(structure: Structure, rows: pa.RecordBatch) -> pa.Schema:
    """The schema of all files of a collection with this structure; `rows` may be none."""
    return as_items(rows, structure).schema


def _members(struct: Any) -> dict[str, Any]:
    names = [struct.type.field(place).name for place in range(struct.type.num_fields)]
    return dict(zip(names, struct.flatten(), strict=True))


def _in_calendar(times: Any) -> Any:
    """The times of the years that readers know; DuckDB knows more, and infinity."""
    if not pa.types.is_timestamp(times.type):
        return times
    compute: Any = pc
    first, last = (pa.scalar(each, times.type) for each in (EARLIEST, LATEST))
    is_one = compute.and_(compute.greater_equal(times, first), compute.less_equal(times, last))
    return compute.if_else(is_one, times, None)


def _boxes(batch: pa.RecordBatch, dimensions: int) -> Any:
    edges = {name: batch[column] for column, name in _EDGES.items()}
    edges |= {"zmin": batch["zmin"], "zmax": batch["zmax"]}
    kind = _BOX if dimensions == 2 else _BOX_3D
    names = [kind.field(place).name for place in range(kind.num_fields)]
    lacking: Any = batch[BOX[0]].is_null()
    return pa.StructArray.from_arrays([edges[name] for name in names], fields=list(kind), mask=lacking)


def _with_hrefs(assets: Any) -> Any:
    """The assets of a struct, of which those without an href are null: readers fail on a file with one."""
    if pa.types.is_map(assets.type):
        return assets
    found: dict[str, Any] = {}
    for key, asset in _members(assets).items():
        members = _members(asset)
        found[key] = pa.StructArray.from_arrays(
            list(members.values()), names=list(members), mask=members["href"].is_null()
        )
    return pa.StructArray.from_arrays(list(found.values()), names=list(found))


def _with_wkb_below(assets: Any) -> Any:
    """The assets, whose geometries in projected coordinates are WKB."""
    if pa.types.is_map(assets.type):
        items = _changed(assets.items, PROJECTED, as_wkb)
        kind = pa.map_(assets.type.key_type, items.type)
        return pa.MapArray.from_arrays(assets.offsets, assets.keys, items, kind, mask=assets.is_null())
    for place in range(assets.type.num_fields):
        assets = _changed(
            assets, assets.type.field(place).name, lambda asset: _changed(asset, PROJECTED, as_wkb)
        )
    return assets


def _changed(struct: Any, name: str, change: Callable[[Any], Any]) -> Any:
    """A struct with another value of one member, if it has it."""
    place = struct.type.get_field_index(name)
    if place < 0:
        return struct
    members = [struct.field(each) for each in range(struct.type.num_fields)]
    changed = change(members[place])
    if changed is members[place]:
        return struct
    members[place] = changed
    fields = [struct.type.field(each) for each in range(struct.type.num_fields)]
    fields[place] = fields[place].with_type(changed.type)
    return pa.StructArray.from_arrays(members, fields=fields, mask=struct.is_null())
