"""What dlt's stored schema says of the tables that a load needs, and what the database has of them.

dlt looks at the tables only where its schema has changed. So whatever somebody has dropped by hand it takes
to be there, and every later load fails.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dlt.common.destination.client import WithStateSync
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.json import json
from dlt.common.schema import Schema
from dlt.common.schema.typing import TColumnSchema
from dlt.common.schema.utils import has_table_seen_data, new_table
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.errors import StoreFailed
from stac_assets.source import SOURCE_NAME
from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import REJECTED, type_of
from stac_assets.source.geometry_column import HINT
from stac_assets.stac.endpoints import ENDPOINTS, Endpoint

NAMES_OF_TYPES: Mapping[str, frozenset[str]] = {
    "text": frozenset({"varchar", "character varying", "text"}),
    "double": frozenset({"double", "double precision"}),
    "bigint": frozenset({"bigint", "hugeint"}),
    "bool": frozenset({"boolean"}),
    "timestamp": frozenset({"timestamp with time zone"}),
    "json": frozenset({"json", "jsonb"}),
}
"""What DuckDB and PostgreSQL call a column that holds all values of a type of dlt's; other types of dlt's
are not compared."""

Types = Mapping[str, str]
"""The database's name of the type of each column of a table, by column."""


@dataclass(frozen=True)
class Comparison:
    """What is stored of a schema, and what is there.

    Args:
        schema: that the destination remembers; None where it remembers none.
        there: of the dataset, the columns of each table that is there.
        staged: the same of the staging dataset.
        needed: the tables with rows that the load needs.
    """

    schema: Schema | None
    there: Mapping[str, Types]
    staged: Mapping[str, Types]
    needed: tuple[str, ...]

    @property
    def remembered(self) -> tuple[str, ...]:
        """The needed tables that the schema says are there, and dlt's own."""
        if self.schema is None:
            return ()
        known = self.schema.tables
        seen = [name for name in self.needed if name in known and has_table_seen_data(known[name])]
        return (*seen, *self.schema.dlt_table_names())

    @property
    def missing(self) -> Mapping[str, list[TColumnSchema]]:
        """The columns that are not there, by table; all those of a table that is not there."""
        found = {name: self._lacking(name, self.there) for name in self.remembered}
        return {name: columns for name, columns in found.items() if columns}

    @property
    def unstaged(self) -> tuple[str, ...]:
        """The needed tables whose staging table is there, and is not like them."""
        tables = [name for name in self.remembered if name in self.needed and name in self.staged]
        return tuple(
            name
            for name in tables
            if self._lacking(name, self.staged) or any(unfit(self.staged[name], self._columns(name)))
        )

    def changed(self) -> Iterator[tuple[str, TColumnSchema, str]]:
        """Table, column and type of each needed column that has another type than it was made with."""
        for name in self.remembered:
            if name in self.needed:
                there = self.there.get(name, {})
                yield from ((name, column, found) for column, found in unfit(there, self._columns(name)))

    def _lacking(self, name: str, tables: Mapping[str, Types]) -> list[TColumnSchema]:
        assert self.schema is not None
        known = {column.casefold() for column in tables.get(name, {})}
        columns = self.schema.get_table_columns(name)
        return [column for key, column in columns.items() if key.casefold() not in known]

    def _columns(self, name: str) -> Iterable[TColumnSchema]:
        assert self.schema is not None
        return self.schema.get_table_columns(name).values()


def unfit(types: Types, columns: Iterable[TColumnSchema]) -> Iterator[tuple[TColumnSchema, str]]:
    """Those of some columns that are there with a type which does not hold all of their values, and that.

    One of the same name in capitals, too, keeps dlt from making the column.
    """
    lower = {name.lower(): found for name, found in types.items()}
    for column in columns:
        if column.get(HINT):  # of which dlt says that it is text; load jobs look at it themselves
            continue
        name, wanted = str(column.get("name")), NAMES_OF_TYPES.get(type_of(column))
        found = types.get(name, lower.get(name))
        if found is not None and wanted is not None and found.lower() not in wanted:
            yield column, found


def stored_schema(client: Any) -> Schema | None:
    """The schema that the destination of an open client remembers.

    dlt itself restores it only where a load was ever completed. One that was killed has made tables too,
    and a column that dlt does not know of would get another type.
    """
    try:
        stored = cast(WithStateSync, client).get_stored_schema(SOURCE_NAME)
    except DestinationUndefinedEntity:
        return None
    return Schema.from_stored_schema(json.loads(stored.schema)) if stored else None


def compare(client: Any, endpoint: Endpoint) -> Comparison:
    """Compare what an open SQL client remembers with what is there, by one query.

    Where nothing is remembered, all tables are looked for, from which that can be made again.

    Raises:
        StoreFailed: a column of the endpoint's table has another type than it was made with.
    """
    schema = stored_schema(client)
    needed = (endpoint.name, REJECTED, CHANGES) if endpoint.has_items else (endpoint.name,)
    asked = (*ENDPOINTS, REJECTED, CHANGES) if schema is None else (*needed, *schema.dlt_table_names())
    sql = client.sql_client
    datasets: dict[str, dict[str, dict[str, str]]] = {sql.dataset_name: {}, sql.staging_dataset_name: {}}
    marks = ", ".join(["%s"] * len(asked))
    rows = sql.execute_sql(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "  # noqa: S608
        f"WHERE table_catalog = current_database() AND table_schema IN (%s, %s) AND table_name IN ({marks})",
        *(*datasets, *asked),
    )
    for dataset, table, column, data_type in rows or ():
        datasets[dataset].setdefault(table, {})[column] = data_type
    there, staged = datasets.values()
    comparison = Comparison(schema, there, staged, needed)
    _refuse_changed(client, comparison)
    return comparison


def refuse_unfit(pipeline: Pipeline, name: str, types: Types, columns: Iterable[TColumnSchema]) -> None:
    """Refuse to store values in a column of another type, which somebody has added himself.

    DuckDB would round them or make something else of them; PostgreSQL would take their bytes for others.

    Args:
        pipeline: which stores.
        name: of the table.
        types: of the columns that it has.
        columns: into which values are to be stored.

    Raises:
        StoreFailed: there is such a column; the message names each, with both types.
    """
    found = list(unfit(types, columns))
    if not found:
        return
    client: Any = pipeline.destination_client()
    told = [
        f"the column {column.get('name')} of the table {name} is {there}, and its property needs "
        f"{client.type_mapper.to_destination_type(column, new_table(name))}"
        for column, there in found
    ]
    raise StoreFailed(
        f"{'; '.join(told)}. Somebody has added it: rename or drop it, and the next load makes the "
        "property's own. Nothing was stored, the table is as it was"
    )


def _refuse_changed(client: Any, comparison: Comparison) -> None:
    changed = list(comparison.changed())
    if not changed:
        return
    assert comparison.schema is not None
    client.schema = comparison.schema
    escape = client.sql_client.escape_column_name
    told = []
    for name, column, found in changed:
        table = client.prepare_load_table(name)
        made, key = client.type_mapper.to_destination_type(column, table), escape(str(column.get("name")))
        told.append(
            f"the column {column.get('name')} of the table {name} is {found}, and was made {made}: "
            f"ALTER TABLE {client.sql_client.make_qualified_table_name(name)} ALTER COLUMN {key} "
            f"TYPE {made} USING CAST({key} AS {made})"
        )
    raise StoreFailed(
        f"{'; '.join(told)}; then set _fingerprint to NULL in rows that it changed, so that loads store them "
        "anew; or drop the column, and the next load makes it again, empty. "
        "Nothing was stored, the table is as it was"
    )
