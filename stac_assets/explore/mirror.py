"""The tables of a catalog, as they are asked: each query opens them, and closes them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.schema.typing import TColumnSchema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.catalog import Catalog
from stac_assets.pipeline.destinations.base import Storage, storage_of
from stac_assets.pipeline.exclusion.database_file import opened
from stac_assets.pipeline.exclusion.waiting import DatasetBusy, Wait
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import run_folder
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.target import target_of
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.stac.errors import ConfigurationError, StacError

PATIENCE = 5.0
"""Seconds that a query waits for a load that holds a DuckDB file; most hold it for less."""

Rows = Any
"""A DataFrame of pandas, or a column of one; the type would say nothing of what is in it."""
T = TypeVar("T")


class Unreadable(StacError):
    """The tables cannot be read at the moment; the message says why, and what to do."""


@dataclass(frozen=True)
class Table:
    """A table that is there.

    Args:
        name: dlt's.
        sql: its name in a query.
        columns: as dlt describes them, by name.
    """

    name: str
    sql: str
    columns: Mapping[str, TColumnSchema]


class Mirror:
    """What loads have stored of a catalog. Nothing is open between two queries, so that loads go on.

    A DuckDB file is opened read-only.

    Args:
        catalog: whose tables.
        patience: seconds to wait for whoever holds a DuckDB file.

    Raises:
        ConfigurationError: nothing was loaded yet.
        Unreadable: the tables cannot be read at the moment.
        StoreFailed: the destination failed.
    """

    def __init__(self, catalog: Catalog, patience: float = PATIENCE) -> None:
        self._target = target_of(catalog)
        self._storage: Storage = storage_of(self._target)
        self._patience = patience
        self._load = f"stac-assets load{catalog.flag}"
        self.where = self._target.describe()
        self.tables: Mapping[str, Table] = self._read(_tables)

    @property
    def item_tables(self) -> list[str]:
        """The names of the tables with items.

        Raises:
            ConfigurationError: there is none.
        """
        found = [name for name in ITEM_TABLES if name in self.tables]
        if not found:
            raise self._empty()
        return found

    def ask(self, query: str, *values: Any) -> Rows:
        """The rows of a query.

        Args:
            query: in the destination's SQL, with `%s` for each value.
            values: in their order.

        Raises:
            ConfigurationError: a table is not there any more.
            Unreadable: the tables cannot be read at the moment.
            StoreFailed: the destination failed.
        """

        def answer(pipeline: Pipeline) -> Rows:
            with pipeline.sql_client() as client, client.execute_query(query, *values) as cursor:
                return cursor.df()

        return self._read(answer)

    def _read(self, query: Callable[[Pipeline], T]) -> T:
        runs = runs_folder()
        with told_plainly(self._target, runs), run_folder(runs) as folder:
            pipeline = self._storage.read_only_pipeline(folder)
            file = self._storage.place(pipeline).file
            if file is not None and not file.exists():
                raise self._empty()

            def asked() -> T:
                pipeline.sync_destination()
                if not pipeline.default_schema_name:
                    raise self._empty()
                return query(pipeline)

            try:
                return asked() if file is None else opened(file, asked, Wait(self._patience))
            except DatasetBusy as error:
                raise Unreadable(
                    f"Another process has {file}, and DuckDB lets nobody else in meanwhile: a load that "
                    "stores, mostly. Read again in a moment"
                ) from error
            except DestinationUndefinedEntity as error:
                raise self._empty() from error

    def _empty(self) -> ConfigurationError:
        return ConfigurationError(f"There are no items in {self.where} yet. Load some: {self._load}")


def absent(value: Any) -> bool:
    """Whether a cell of an answer is empty: pandas has several values for that."""
    import pandas as pd

    return value is None or bool(pd.isna(value))


def _tables(pipeline: Pipeline) -> dict[str, Table]:
    schema = pipeline.default_schema
    names = [str(table.get("name")) for table in schema.data_tables(seen_data_only=True)]
    described = {name: schema.get_table_columns(name) for name in names}
    with pipeline.sql_client() as client:
        return {
            name: Table(name, client.make_qualified_table_name(name), described[name]) for name in described
        }
