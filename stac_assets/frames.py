"""Items as a GeoDataFrame, read from the destination by one query of the columns and rows that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from stac_assets.catalog import read_catalog
from stac_assets.pipeline.item_query import ItemQuery, read_items
from stac_assets.source.geometry_column import GEOM, SYSTEM
from stac_assets.stac.errors import ConfigurationError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

NEEDED = (
    "geodataframe needs the package geopandas: pip install 'stac-assets[geo]' (in a clone: pip install "
    "--constraint constraints.txt --editable '.[geo]')"
)


def geodataframe(
    table: str = "search",
    *,
    columns: Iterable[str] | None = None,
    collections: Iterable[str] | str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    bbox: Sequence[float] | None = None,
    where: str | None = None,
    catalog: str | None = None,
    **settings: Any,
) -> GeoDataFrame:
    """Items that earlier loads have stored, as a GeoDataFrame. The API is not asked.

    Args:
        table: `search`, `collection_items` or `item`.
        columns: those to read; by default all but the JSON documents, which have to be named, and come as
            text. The geometries come always, as `geom`.
        collections: ids; by default all that the table holds.
        start: first UTC day of `datetime`, or else `start_datetime`; a date or `YYYY-MM-DD`.
        end: last UTC day, included.
        bbox: west, south, east and north in degrees (or six numbers, with heights); the items whose boxes
            touch it. West is greater than east where it crosses the antimeridian, as in STAC.
        where: a condition in the destination's own SQL, such as `"eo_cloud_cover < 10"`.
        catalog: the name of a configured catalog; it may be left out where there is only one.
        settings: any other setting by name (`stac_assets.settings.Settings`), before what is configured.

    Returns:
        A row for each item. Its geometries are those of the column `geom` (2D in PostgreSQL), or made of the
        GeoJSON where the table has no such column; None where there is none. Its CRS is OGC:CRS84, which is
        EPSG:4326 with longitude first.

    Raises:
        ConfigurationError: geopandas is not installed, nothing was loaded yet, or an argument is none.
        StoreFailed: the destination failed.

    Example:
        >>> from stac_assets import geodataframe
        >>> geodataframe(bbox=[13, 52.3, 13.8, 52.7], where="eo_cloud_cover < 10")  # doctest: +SKIP
    """
    try:
        import geopandas
    except ImportError as error:
        raise ConfigurationError(NEEDED) from error
    query = ItemQuery.of(table, columns, collections, start, end, bbox, where)
    frame, geometries = read_items(read_catalog(catalog, **settings), query)
    frame[GEOM] = geopandas.GeoSeries(geometries, index=frame.index, crs=SYSTEM)
    return geopandas.GeoDataFrame(frame, geometry=GEOM, crs=SYSTEM)
