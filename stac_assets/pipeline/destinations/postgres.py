"""dlt's PostgreSQL destination, with indexes that a replacement of partitions uses, and with empty texts.

dlt makes no index but for unique columns, and deletes by a join of which PostgreSQL guesses the size, because
the staging table has no statistics. Without both, every load of a day reads the whole table. And it copies
CSV files so that an empty text becomes NULL.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlt import destinations
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import FollowupJobRequest, HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TSchemaTables
from dlt.common.storages import FileStorage
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations.impl.postgres.postgres import PostgresClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
from dlt.destinations.sql_jobs import SqlMergeFollowupJob
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.destinations.base import Adapted, Filled, Storage
from stac_assets.pipeline.destinations.items_view import keep_in_step
from stac_assets.pipeline.destinations.postgres_credentials import LibpqConfiguration
from stac_assets.pipeline.destinations.postgres_geometry import (
    DIMENSIONS,
    INDEX,
    PostgresTypes,
    is_geometry,
    postgis_schema,
    type_of_geometries,
)
from stac_assets.pipeline.destinations.postgres_job import ReplacePartitions
from stac_assets.pipeline.destinations.postgres_rights import check_rights, has_schema
from stac_assets.pipeline.destinations.postgres_view import transaction
from stac_assets.pipeline.destinations.taking_rows import TakesRows
from stac_assets.pipeline.exclusion.own_staging import emptied_afterwards
from stac_assets.pipeline.exclusion.waiting import Hold
from stac_assets.pipeline.place import Place
from stac_assets.source.columns import ITEM_TABLES, PARTITION_KEY, REJECTED
from stac_assets.source.delivery import Delivery, TableForm
from stac_assets.source.geometry_column import GEOM
from stac_assets.stac.endpoints import SEARCH

if TYPE_CHECKING:
    from stac_assets.pipeline.read_only.reader import Reader

BY_PARTITION = ("btree", PARTITION_KEY)
BY_ID = ("hash", "id")
"""A hash, because an entry of a B-tree holds no more than 2,704 bytes, and an id may be longer."""

INDEXES = {
    **dict.fromkeys(ITEM_TABLES, (BY_PARTITION, BY_ID)),
    REJECTED: (BY_PARTITION,),
}
"""By table: the method and the column of each index. The other tables have a row per collection, or few."""


class PartitionedPostgres(Adapted, destinations.postgres):
    """dlt's PostgreSQL destination, with indexes for the partitions and ids of item tables.

    With `create_indexes = false` under `[destination.postgres]` there are none.

    Args:
        delivery: the rows of the load, which its load job takes from there; None to read only.
    """

    spec = LibpqConfiguration  # type: ignore[assignment]

    def __init__(
        self, *args: Any, delivery: Delivery | None = None, postgis: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._delivery = delivery
        self._postgis = postgis

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        """Never Parquet: dlt takes it where a driver for ADBC is installed, and makes `json` of `jsonb`."""
        capabilities = super()._raw_capabilities()
        offered = capabilities.supported_loader_file_formats or ()
        capabilities.supported_loader_file_formats = [form for form in offered if form != "parquet"]
        capabilities.loader_file_format_selector = None  # type: ignore[assignment]
        capabilities.type_mapper = type("Types", (PostgresTypes,), {"postgis": self._postgis})
        return capabilities

    @property
    def client_class(self) -> type[PostgresClient]:
        """The client of this load, which makes the indexes."""
        return type("Client", (_Client,), {"delivery": self._delivery})


class PostgresStorage(Storage):
    """Stores into PostgreSQL."""

    adapted = PartitionedPostgres
    compares = True
    _postgis: str | None = None
    """The schema of PostGIS, if the role may use it."""

    def place(self, pipeline: Pipeline) -> Place:
        """The database on its server; a server may be written in several ways."""
        placed = super().place(pipeline)
        config: Any = pipeline.destination_client().config
        return replace(placed, location=config.credentials.location())

    def reader(self, pipeline: Pipeline, place: Place, schemas: Sequence[str], wait: float) -> "Reader":
        """As of every storage: transactions that read only."""
        from stac_assets.pipeline.read_only.postgres_reader import PostgresReader

        return PostgresReader(pipeline, schemas)

    def check_rights(self, client: Any) -> None:
        """Refuse a role that may not store, with the statements that its administrator has to run."""
        check_rights(client.sql_client)
        self._postgis = postgis_schema(client.sql_client)

    def form(self, pipeline: Pipeline, folder: Path) -> TableForm:
        """The load job takes the rows, and stores geometries with them where PostGIS is there."""
        dimensions = DIMENSIONS if self._postgis else 0
        return TableForm(
            takes_rows=True, takes_rejected=True, takes_changes=True, folder=folder, dimensions=dimensions
        )

    @contextmanager
    def storing(
        self, place: Place, folder: Path, hold: Hold, delivery: Delivery | None = None
    ) -> Iterator[Pipeline]:
        """A pipeline, after which the view over all catalogs shows what it has stored."""
        make = partial(PartitionedPostgres, delivery=delivery, postgis=self._postgis)
        pipeline = self._pipeline(folder, self._destination(make))
        with emptied_afterwards(pipeline):
            yield pipeline
        if delivery is not None and delivery.endpoint is SEARCH:
            keep_in_step(partial(transaction, pipeline), self.target.catalog)

    def fill_geometries(self, client: Any, table: str) -> Filled:
        """As of every storage; where nothing is to be filled, nothing is imported for it."""
        from stac_assets.pipeline.destinations.postgres_fill import fill

        return fill(client.sql_client, table, str(self._postgis))

    def geometries_as_wkb(self, client: Any, table: str) -> str | None:
        """As of every storage; in hexadecimal, since drivers give bytes each as something else."""
        postgis = postgis_schema(client)
        if postgis is None or not is_geometry(type_of_geometries(client, table)):
            return None
        return f"encode({postgis}.ST_AsBinary({GEOM}), 'hex')"


class _Merge(SqlMergeFollowupJob):
    """A merge whose keys PostgreSQL reads first, so that it looks each of them up in an index."""

    @classmethod
    def gen_key_table_clauses(
        cls,
        root_table_name: str,
        staging_root_table_name: str,
        primary_keys: Sequence[str],
        merge_keys: Sequence[str],
        for_delete: bool,
        source_filter: str | None = None,
    ) -> list[str]:
        (clause,) = super().gen_key_table_clauses(
            root_table_name, staging_root_table_name, primary_keys, merge_keys, for_delete, source_filter
        )
        if primary_keys and merge_keys:
            return [clause]
        for key in (*primary_keys, *merge_keys):
            staged = f"SELECT DISTINCT {key} FROM {staging_root_table_name}"  # noqa: S608
            clause += f" AND d.{key} = ANY (ARRAY({staged}))"
        return [clause]


class _Copy(RunnableLoadJob, HasFollowupJobs):
    """Copies a CSV file, in which a text is quoted, even an empty one, and NULL is nothing at all."""

    def run(self) -> None:
        client: Psycopg2SqlClient = self._job_client.sql_client  # type: ignore[attr-defined]
        with FileStorage.open_zipsafe_ro(self._file_path, "rb") as file:
            (names,) = csv.reader([file.readline().decode()])
            columns = ", ".join(map(client.escape_column_name, names))
            with client.begin_transaction(), client.native_connection.cursor() as cursor:
                cursor.copy_expert(
                    f"COPY {client.make_qualified_table_name(self.load_table_name)} ({columns}) "
                    "FROM STDIN WITH (FORMAT csv, NULL '', ENCODING 'utf-8')",
                    file,
                )


class _CopyingClient(PostgresClient):
    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        if ParsedLoadJobFileName.parse(file_path).file_format == "csv":
            return _Copy(file_path)
        return super().create_load_job(table, file_path, load_id, restore)


class _Client(TakesRows, _CopyingClient):
    replacing = ReplacePartitions

    def is_storage_initialized(self) -> bool:
        return has_schema(self.sql_client)

    def update_stored_schema(
        self,
        only_tables: Iterable[str] | None = None,
        expected_update: TSchemaTables | None = None,
        force: bool = False,
    ) -> TSchemaTables | None:
        applied: Any = super().update_stored_schema(only_tables, expected_update, force)  # type: ignore[arg-type]
        if self.config.create_indexes and not self.in_staging_dataset_mode:
            self._make_indexes(set(only_tables or self.schema.tables))
        return applied

    def _make_indexes(self, tables: set[str]) -> None:
        """Make the indexes that are missing; tables of an earlier version get theirs now.

        A table that somebody has renamed keeps its indexes, and so their names: PostgreSQL chooses others.
        """
        schema = self.sql_client.dataset_name
        found = self.sql_client.execute_sql(
            "SELECT tablename, indexname, indexdef FROM pg_catalog.pg_indexes WHERE schemaname = %s", schema
        )
        names = {name for _, name, _ in found or ()}
        known = {(table, definition.rpartition(" USING ")[2]) for table, _, definition in found or ()}
        for table in sorted(tables & set(INDEXES)):
            for method, column in self._wanted_indexes(table):
                if (table, f"{method} ({column})") in known:
                    continue
                name = index_name(table, column)
                named = "" if name in names else f"IF NOT EXISTS {self.sql_client.escape_column_name(name)} "
                where = self.sql_client.make_qualified_table_name(table)
                self.sql_client.execute_sql(
                    f"CREATE INDEX {named}"
                    f"ON {where} USING {method} ({self.sql_client.escape_column_name(column)})"
                )

    def _wanted_indexes(self, table: str) -> Iterator[tuple[str, str]]:
        yield from INDEXES[table]
        known = GEOM in self.schema.get_table_columns(table)
        if known and is_geometry(type_of_geometries(self.sql_client, table)):
            yield INDEX

    def _create_merge_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [_Merge.from_table_chain(table_chain, self.sql_client)]


def index_name(table: str, column: str) -> str:
    """The name of the index of a column: short of the 63 bytes that PostgreSQL keeps of a name."""
    return f"{table}_{column.strip('_')}_index"
