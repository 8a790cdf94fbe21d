"""What a file says of itself: the metadata of GeoParquet 1.1, of stac-geoparquet 1.1, and ours."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow.parquet as pq

from stac_assets.export.staged import Extent
from stac_assets.export.structure import PROJECTED, Structure

OURS = b"stac-assets"
"""The key under which a file holds the structure that its schema follows from."""
STAC_GEOPARQUET = "1.1.0"
GEOPARQUET = "1.1.0"
_COVERING = {edge: ["bbox", edge] for edge in ("xmin", "ymin", "xmax", "ymax")}


def footer(structure: Structure, extent: Extent, collections: Mapping[str, Any]) -> dict[bytes, bytes]:
    """The metadata of a file.

    Without a reference system a geometry is in that of GeoJSON. Geometries in projected coordinates have one
    in each item, so that none is said of them.

    Args:
        structure: of the collection.
        extent: of the rows in the file.
        collections: the documents of the collections, by id.
    """
    geometry: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(extent.kinds),
        "edges": "planar",
        "covering": {"bbox": _COVERING},
    }
    if extent.bounds is not None:
        geometry["bbox"] = extent.bounds
    columns = {"geometry": geometry}
    if PROJECTED in structure.of_properties:
        columns[PROJECTED] = {"encoding": "WKB", "geometry_types": [], "crs": None}
    geo = {"version": GEOPARQUET, "primary_column": "geometry", "columns": columns}
    stac = {"version": STAC_GEOPARQUET, **({"collections": dict(collections)} if collections else {})}
    return {
        b"geo": msgspec.json.encode(geo),
        b"stac-geoparquet": msgspec.json.encode(stac),
        OURS: structure.text(),
    }


def structure_in(file: Any) -> Structure | None:
    """The structure that an open Parquet file says that it has; None where it is none of ours."""
    found = pq.read_metadata(file).metadata or {}
    try:
        return Structure.read(found[OURS])
    except (KeyError, TypeError, msgspec.MsgspecError):
        return None


def collection_in(file: Any) -> str | None:
    """The collection of the rows of an open Parquet file that was exported; None where it is none of ours."""
    parquet = pq.ParquetFile(file)
    if OURS not in (parquet.metadata.metadata or {}) or not parquet.num_row_groups:
        return None
    return parquet.read_row_group(0, columns=["collection"])["collection"][0].as_py()
