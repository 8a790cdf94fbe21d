"""A query of items with their geometries, in whatever destination they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from stac_assets.catalog import Catalog
from stac_assets.pipeline.destinations.base import storage_of
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import run_folder
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.target import target_of
from stac_assets.source.columns import DELETED, ITEM_TABLES, ITEM_TIME, PARTITION_KEY, type_of
from stac_assets.source.geometry_column import GEOM
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import parse_day

if TYPE_CHECKING:
    import pandas as pd

SHAPE = "stac_assets_shape"
"""What the geometries are called in the query: a table may have a property of any other name."""
OURS = (PARTITION_KEY, DELETED, GEOM)
Quote = Callable[[str], str]


@dataclass(frozen=True)
class ItemQuery:
    """What is asked of an item table.

    Args:
        table: its name.
        columns: those that are read beside the geometries; None for all that hold no JSON.
        collections: whose items; None for all.
        first: the first UTC day.
        last: the last one, included.
        bbox: west, south, east, north.
        where: a condition in the destination's SQL.
    """

    table: str
    columns: tuple[str, ...] | None = None
    collections: tuple[str, ...] | None = None
    first: date | None = None
    last: date | None = None
    bbox: tuple[float, float, float, float] | None = None
    where: str | None = None

    @classmethod
    def of(
        cls,
        table: str,
        columns: Iterable[str] | None,
        collections: Iterable[str] | str | None,
        start: date | str | None,
        end: date | str | None,
        bbox: Sequence[float] | None,
        where: str | None,
    ) -> ItemQuery:
        """A query of what somebody has written.

        Raises:
            ConfigurationError: something cannot be meant so.
        """
        if table not in ITEM_TABLES:
            raise ConfigurationError(f"table is {table!r}; expected one of {', '.join(ITEM_TABLES)}")
        if isinstance(columns, str):
            raise ConfigurationError(f"columns is the text {columns!r}; expected a list of names")
        if collections is not None:
            collections = (collections,) if isinstance(collections, str) else tuple(collections)
        return cls(
            table,
            None if columns is None else tuple(dict.fromkeys(columns)),
            None if collections == ("*",) else collections,
            None if start is None else parse_day(start, "start"),
            None if end is None else parse_day(end, "end"),
            None if bbox is None else _flat(bbox),
            where,
        )

    def conditions(self, literal: Quote) -> list[str]:
        """The conditions in SQL.

        Args:
            literal: writes a text as the destination does.
        """
        found = [f"({self.where}\n)"] if self.where else []  # it may end with a comment
        if self.collections is not None:
            names = ", ".join(map(literal, self.collections)) or "NULL"
            found.append(f"collection IN ({names})")
        if self.first is not None:
            found.append(f"{ITEM_TIME} >= {_instant(self.first, literal)}")
        if self.last is not None and self.last < date.max:
            found.append(f"{ITEM_TIME} < {_instant(self.last + timedelta(days=1), literal)}")
        return [*found, *(_touching(*self.bbox) if self.bbox else ())]


def read_items(catalog: Catalog, query: ItemQuery) -> tuple[pd.DataFrame, Any]:
    """The rows of a query, and their geometries: those of the column `geom`, or else of the GeoJSON.

    Args:
        catalog: whose items.
        query: what is asked.

    Returns:
        The columns, without the geometries; and an array of shapely's, None where there is none.

    Raises:
        ConfigurationError: nothing was loaded yet, or there is no such column.
        StoreFailed: the destination failed.
    """
    target, runs = target_of(catalog), runs_folder()
    with told_plainly(target, runs), run_folder(runs) as folder:
        access = DatasetAccess(storage_of(target), folder, catalog.settings.lock_timeout, "geodataframe")
        try:
            found = access.read(lambda: _read(access, query))
        except DestinationUndefinedEntity:  # somebody has dropped the table
            found = None
    if found is None:
        raise ConfigurationError(
            f"there is no table {query.table} in {target.describe()} yet: load it first "
            f"(stac-assets load {query.table})"
        )
    return found


def _read(access: DatasetAccess, query: ItemQuery) -> tuple[pd.DataFrame, Any] | None:
    access.pipeline.sync_destination()
    name = access.pipeline.default_schema_name
    if not name or query.table not in access.pipeline.default_schema.tables:
        return None
    described = access.pipeline.default_schema.get_table_columns(query.table)
    kinds = {column: type_of(hints) for column, hints in described.items()}
    columns = _wanted(query, kinds)
    with access.pipeline.sql_client() as opened:
        client: Any = opened
        as_wkb = access.storage.geometries_as_wkb(client, query.table) if GEOM in kinds else None
        names = {column: client.escape_column_name(column) for column in columns}
        selected = [_text(name) if kinds[c] == "json" else name for c, name in names.items()]
        selected.append(f"{as_wkb or 'CAST(geometry AS VARCHAR)'} AS {SHAPE}")
        conditions = query.conditions(client.capabilities.escape_literal)
        with client.execute_query(
            f"SELECT {', '.join(selected)} FROM {client.make_qualified_table_name(query.table)} "  # noqa: S608
            f"WHERE {' AND '.join(conditions) or '1 = 1'}"
        ) as cursor:
            frame = cursor.df()
    return _typed(frame, columns, kinds), _shapes(frame[SHAPE], as_wkb is not None)


def _text(column: str) -> str:
    """JSON as text, of which some drivers would make Python's values."""
    return f"CAST({column} AS VARCHAR) AS {column}"


def _wanted(query: ItemQuery, kinds: dict[str, str]) -> list[str]:
    if query.columns is None:
        return [c for c, kind in kinds.items() if kind != "json" and c not in OURS and c[:5] != "_dlt_"]
    unknown = [column for column in query.columns if column not in kinds and column != GEOM]
    if unknown:
        raise ConfigurationError(
            f"{query.table} has no column {', '.join(unknown)}; it has "
            + ", ".join(sorted(column for column in kinds if column[0] != "_"))
        )
    return [column for column in query.columns if column != GEOM]


def _typed(frame: pd.DataFrame, columns: list[str], kinds: dict[str, str]) -> pd.DataFrame:
    """The columns with the types of their kinds, also where a driver has seen none but nulls."""
    import pandas as pd

    found: pd.DataFrame = frame.loc[:, columns].copy()
    for column in columns:
        if kinds[column] == "timestamp":
            found[column] = pd.to_datetime(found[column], utc=True)
        elif kinds[column] == "double":
            found[column] = pd.to_numeric(found[column])
    return found


def _shapes(sent: pd.Series, is_wkb: bool) -> Any:
    """Geometries of what the query gave: WKB, hexadecimal or not, or GeoJSON."""
    import shapely

    from stac_assets.source.geometry import as_wkb

    values = [None if missing else value for value, missing in zip(sent, sent.isna(), strict=True)]
    if not is_wkb:
        import pyarrow as pa

        values = as_wkb(pa.array(values, pa.string())).to_pylist()
    as_bytes = [bytes(v) if isinstance(v, bytearray | memoryview) else v for v in values]
    found: Any = shapely.from_wkb(as_bytes)
    return found


def _flat(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    try:
        numbers = [float(edge) for edge in bbox]
    except (TypeError, ValueError):
        numbers = []
    match numbers:
        case [west, south, east, north] | [west, south, _, east, north, _] if (
            all(map(isfinite, numbers)) and south <= north
        ):
            return west, south, east, north
        case _:
            raise ConfigurationError(
                f"bbox is {bbox!r}; expected west, south, east and north in degrees, or six numbers"
            )


def _instant(day: date, literal: Quote) -> str:
    return f"CAST({literal(datetime.combine(day, time(), UTC).isoformat(' '))} AS TIMESTAMP WITH TIME ZONE)"


def _touching(west: float, south: float, east: float, north: float) -> list[str]:
    """Conditions of boxes that touch one; either may lie across the antimeridian."""
    after, before = f"bbox_xmax >= {west!r}", f"bbox_xmin <= {east!r}"
    if west <= east:
        along = f"(({after} AND {before}) OR (bbox_xmin > bbox_xmax AND ({after} OR {before})))"
    else:
        along = f"({after} OR {before} OR bbox_xmin > bbox_xmax)"
    return [f"bbox_ymin <= {north!r}", f"bbox_ymax >= {south!r}", along]
