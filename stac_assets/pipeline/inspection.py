"""Counts what the destination holds after a load, by SQL that every destination understands.

Asset checks judge it and materializations show it. It is read while the load still holds the dataset.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.schema.typing import TColumnSchema
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.inspection_result import (
    LACKING,
    ODD_BOXES,
    Inspection,
    PartitionRows,
    Row,
    TableColumns,
)
from stac_assets.source.columns import (
    CATALOG_COLUMNS,
    ITEM_COLUMNS,
    ITEM_TIME,
    PARTITION_KEY,
    REJECTED,
    rejected_key,
    type_of,
)
from stac_assets.source.fetch import Fetched
from stac_assets.source.running import conditions
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import ONE_DAY, PartitionKey

SAMPLED_ROWS = 4_000
"""Rows of a load of which the footprints are read, shared by its partitions; each has some."""
SAMPLED_COLUMNS = (
    "id",
    "datetime",
    "start_datetime",
    "updated",
    *(f"bbox_{e}" for e in ("xmin", "ymin", "xmax", "ymax")),
)
TELLING = {"platform", "constellation", "gsd", "eo_cloud_cover", "proj_code", "proj_epsg", "created"}
"""Promoted properties that are shown before others."""
MAX_PROMOTED = 6
NAMED_STRAYS = 10
"""Items that are named of those which two partitions share; all are counted."""

"""What decides to which day a row belongs."""


Table = dict[str, Any]
"""dlt's schema of a table, complete."""


def inspect(pipeline: Pipeline, fetched: Fetched, known: set[str]) -> Inspection:
    """Count what the destination holds of what was just loaded.

    Args:
        pipeline: which has loaded it, and holds the dataset still.
        fetched: what was loaded.
        known: the columns that the table had before; none if there was no table.
    """
    endpoint = fetched.request.endpoint
    name = endpoint.name
    table = dict(pipeline.default_schema.tables[name])
    found = Inspection(_columns(pipeline, table, known))
    with pipeline.sql_client() as client:
        reader = _Reader(client, table)
        if endpoint.has_items:
            found.partitions = dict(reader.windows(fetched))
            if REJECTED in pipeline.default_schema.tables:
                reader.rejected(fetched, found.partitions)
        elif endpoint.is_partitioned:
            found.partitions = {c: reader.catalog_rows(c) for c in fetched.request.collections}
        else:
            found.partitions = {None: reader.catalog_rows()}
        if endpoint.lists_collections:
            found.ids = frozenset(row[0] for row in reader.query(f"SELECT id FROM {reader.table}"))  # noqa: S608
    return found


def _columns(pipeline: Pipeline, table: Table, known: set[str]) -> TableColumns | None:
    name = table["name"]
    contract = CATALOG_COLUMNS.get(name, ITEM_COLUMNS)
    described = {**table["columns"], **contract}
    promised = {n: type_of(column) for n, column in described.items() if "data_type" in column}
    with pipeline.destination_client() as client:
        if not hasattr(client, "get_storage_table"):
            return None
        _, stored = cast(Any, client).get_storage_table(name)
        if not stored:
            return None
        capabilities = client.capabilities if isinstance(client, SqlJobClientBase) else None
        return compared(capabilities, table, described, promised, stored, known)


def compared(
    capabilities: DestinationCapabilitiesContext | None,
    table: Table,
    described: Mapping[str, TColumnSchema],
    promised: dict[str, str],
    stored: Mapping[str, TColumnSchema],
    known: set[str],
) -> TableColumns:
    """The promised columns, and those that the destination says its table has.

    Files have columns of our own types, and no capabilities.
    """
    exact = capabilities is None or capabilities.generates_case_sensitive_identifiers()
    found = {c if exact else c.lower(): type_of(hints) for c, hints in stored.items()}
    mapper = capabilities.get_type_mapper() if capabilities else None
    for column, kind in promised.items():
        if mapper is None or found.get(column, kind) == kind:
            continue
        written = mapper.to_destination_type(described[column], cast(Any, table))
        if mapper.from_destination_type(written, None, None).get("data_type") == found[column]:
            promised[column] = found[column]  # the destination has no such type; this is its way
    return TableColumns(promised, found, sorted(set(found) - known) if known else [])


class _Reader:
    """Asks about one table."""

    def __init__(self, client: Any, table: Table) -> None:
        self._client = client
        self.table = client.make_qualified_table_name(table["name"])
        scalars = [
            n for n, column in table["columns"].items() if column.get("data_type") not in (None, "json")
        ]
        promoted = [n for n in scalars if n not in ITEM_COLUMNS and not n.startswith("_")]
        promoted.sort(key=lambda n: n not in TELLING)
        shown = tuple(CATALOG_COLUMNS.get(table["name"], SAMPLED_COLUMNS))
        promoted = [n for n in promoted if n not in shown]  # a catalog table's own are not named twice
        self._shown = [n for n in shown if n in scalars] + promoted[:MAX_PROMOTED]
        self._key = client.escape_column_name(PARTITION_KEY)

    def query(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        return self._client.execute_sql(sql, *values) or ()

    def windows(self, fetched: Fetched) -> Iterator[tuple[str | None, PartitionRows]]:
        found = {w.window.key: PartitionRows() for w in fetched.complete_windows}
        each = max(20, SAMPLED_ROWS // max(1, len(found)))
        for where, values, owners in _scopes(fetched, self._key):
            for key, *counts in self._counted(where, values):
                if owner := owners(key):
                    self._add(found[owner], key, counts)
            for key, name, count in self._odd(where, values):
                if owner := owners(key):
                    _add_case(found[owner], name, count)
            for key, row in self._sampled(where, values, each):
                if owner := owners(key):
                    found[owner].sample.append(row)
            for key, other, identifier, count in self._strays(where, values):
                if owner := owners(key):
                    found[owner].strays.append((identifier, other))
                    found[owner].stray_counts[key, other] = count
        yield from found.items()

    def _add(self, found: PartitionRows, key: str, counts: Sequence[Any]) -> None:
        """Add what was counted of the rows with one partition key and one collection."""
        collection, rows, ids, first, last, timed = counts
        found.rows += rows
        found.ids += ids
        start, end = _day_of(key)
        if PartitionKey.parse(key).collection != collection:
            found.outside += rows
        elif timed < rows or not start <= _utc(first) <= _utc(last) < end:
            ((outside,),) = self.query(
                f"SELECT count(*) FROM {self.table} WHERE {self._key} = %s AND collection = %s "  # noqa: S608
                f"AND ({ITEM_TIME} IS NULL OR {ITEM_TIME} < %s OR {ITEM_TIME} >= %s)",
                *(key, collection, start, end),
            )
            found.outside += outside

    def _counted(self, where: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        return self.query(
            f"SELECT {self._key}, collection, count(*), count(DISTINCT id), min({ITEM_TIME}), "  # noqa: S608
            f"max({ITEM_TIME}), count({ITEM_TIME}) FROM {self.table} "
            f"WHERE {where} GROUP BY {self._key}, collection",
            *values,
        )

    def _odd(self, where: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """How many rows are odd, by partition and the name of what is odd.

        Each case is a filter of its own: a destination that knows of columns without nulls then reads no
        document.
        """
        selects = [
            f"SELECT {self._key}, '{name}', count(*) FROM {self.table} "  # noqa: S608
            f"WHERE ({where}) AND ({case}) GROUP BY {self._key}"
            for name, case in {**LACKING, **ODD_BOXES}.items()
        ]
        return self.query(" UNION ALL ".join(selects), *(tuple(values) * len(selects)))

    def _sampled(self, where: str, values: Sequence[Any], each: int) -> Iterator[tuple[str, Row]]:
        columns = ", ".join(map(self._client.escape_column_name, self._shown))
        rows = self.query(
            f"SELECT {self._key}, {columns} FROM (SELECT {self._key}, {columns}, row_number() OVER "  # noqa: S608
            f"(PARTITION BY {self._key} ORDER BY id) AS place FROM {self.table} WHERE {where}) AS placed "
            f"WHERE place <= {int(each)} ORDER BY {self._key}, place",
            *values,
        )
        for key, *row in rows:
            yield key, dict(zip(self._shown, row, strict=True))

    def _strays(self, where: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Items with a row in another day too: both days, some ids, and how many such items there are."""
        days = f"here.{self._key}, other.{self._key}"
        return self.query(
            f"SELECT own_day, other_day, id, many FROM (SELECT here.{self._key} AS own_day, "  # noqa: S608
            f"other.{self._key} AS other_day, here.id AS id, count(*) OVER (PARTITION BY {days}) AS many, "
            f"row_number() OVER (PARTITION BY {days} ORDER BY here.id) AS place "
            f"FROM {self.table} AS other JOIN "
            f"(SELECT {self._key}, collection, id FROM {self.table} WHERE {where}) AS here "
            f"ON other.id = here.id AND other.collection = here.collection "
            f"WHERE other.{self._key} <> here.{self._key}) AS placed WHERE place <= {NAMED_STRAYS} "
            "ORDER BY own_day, other_day, place",
            *values,
        )

    def rejected(self, fetched: Fetched, found: Mapping[str | None, PartitionRows]) -> None:
        """Add the reasons of the documents that could not be loaded, by partition."""
        name, table = fetched.request.endpoint.name, self._client.make_qualified_table_name(REJECTED)
        owners = Owners((each.window for each in fetched.complete_windows), rejected_key(name, ""))
        rows = self.query(
            f"SELECT {self._key}, reason, count(*) FROM {table} WHERE resource = %s "  # noqa: S608
            f"GROUP BY {self._key}, reason",
            name,
        )
        for key, reason, count in rows:
            if window := owners.of(key):
                reasons = found[window.key].rejected
                reasons[reason] = reasons.get(reason, 0) + count

    def catalog_rows(self, collection: str | None = None) -> PartitionRows:
        where, values = ("", ()) if collection is None else (" WHERE id = %s", (collection,))
        first, *_ = names = [self._client.escape_column_name(name) for name in self._shown]
        columns = ", ".join(names)
        ((count,),) = self.query(f"SELECT count(*) FROM {self.table}{where}", *values)  # noqa: S608
        rows = self.query(
            f"SELECT {columns} FROM (SELECT {columns}, row_number() OVER (ORDER BY {first}) AS place "  # noqa: S608
            f"FROM {self.table}{where}) AS placed WHERE place <= 5 ORDER BY place",
            *values,
        )
        return PartitionRows(count, count, sample=[dict(zip(self._shown, row, strict=True)) for row in rows])


def _add_case(found: PartitionRows, name: str, count: int) -> None:
    counter = found.lacking if name in found.lacking else found.odd_boxes
    counter[name] += count


Owner = Callable[[str], str | None]
"""From a row's partition key to the Dagster key of its partition; None for no partition of the load."""


def _scopes(fetched: Fetched, key: str) -> Iterator[tuple[str, tuple[Any, ...], Owner]]:
    """SQL conditions that find the rows of a load, their values, and which partition owns which row."""
    if fetched.request.endpoint.looks_up_items:
        for window in (each.window for each in fetched.complete_windows):
            ids = tuple(dict.fromkeys(fetched.request.item_ids.get(window, ())))
            if ids:
                marks = ", ".join(["%s"] * len(ids))
                yield f"collection = %s AND id IN ({marks})", (window.collection, *ids), _always(window.key)
        return
    owners = Owners(each.window for each in fetched.complete_windows)

    for condition, values, some in conditions(key, owners):
        yield condition, values, partial(_owner_among, some)


def _owner_among(owners: Owners, key: str) -> str | None:
    window = owners.of(key)
    return window and window.key


def _always(owner: str) -> Owner:
    return lambda key: owner


def _day_of(key: str) -> tuple[datetime, datetime]:
    """Begin and end of the day that a row's partition key names."""
    day = PartitionKey.parse(key).day
    return tuple(datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (day, day + ONE_DAY))  # type: ignore[return-value]


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
