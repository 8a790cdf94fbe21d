"""dlt's DuckDB client, without the two libraries that it would import for nothing.

DuckDB imports pandas as soon as a value is bound to a statement, and dlt imports SQLAlchemy to write the path
of a file as a URL. Together they took a fifth of a load of one empty day.
"""

from contextlib import suppress
from typing import Any, cast
from urllib.parse import quote

import duckdb
from dlt import destinations
from dlt.common.configuration import configspec
from dlt.common.data_writers.escape import escape_duckdb_literal
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.schema import Schema
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration, DuckDbConnectionPool
from dlt.destinations.impl.duckdb.duck import DuckDbClient
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from stac_assets.pipeline.destinations.base import Adapted
from stac_assets.pipeline.destinations.duckdb_geometry import DuckDbTypes

PLACE = "%s"
"""Where dlt's statements have a value."""


class LiteralSqlClient(DuckDbSqlClient):
    """Sessions whose statements have their values in them, as literals that dlt escapes."""

    def open_connection(self) -> duckdb.DuckDBPyConnection:
        """A session with the settings that dlt gives it, in statements without values."""
        pool = cast(DuckDbConnectionPool, self.credentials.conn_pool)
        self._conn = pool.borrow_conn(pragmas=self._pragmas)
        for name, value in self._global_config.items():
            self._conn.execute(f"SET GLOBAL {name} = {escape_duckdb_literal(value)}")
        self._search(self.fully_qualified_dataset_name())
        return self._conn

    def _search(self, schema: str) -> None:
        """Let names without a schema be of `schema`, where it exists already."""
        with suppress(duckdb.CatalogException):
            self._conn.execute(f"SET search_path = {escape_duckdb_literal(schema)}")

    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """As dlt's. Values by name, which dlt itself never gives, are bound."""
        return super().execute_query(with_literals(query, args) if args else query, **kwargs)


def with_literals(query: str, values: tuple[Any, ...]) -> str:
    """`query` with `values` as literals where they would be bound, in their order.

    Raises:
        ValueError: there are more values than places, or fewer.
    """
    first, *others = query.split(PLACE)
    pairs = zip(map(escape_duckdb_literal, values), others, strict=True)
    return first + "".join(f"{value}{text}" for value, text in pairs)


class LiteralClient(DuckDbClient):
    """dlt's client, whose sessions are those of `sessions`."""

    sessions: type[LiteralSqlClient] = LiteralSqlClient

    def __init__(
        self,
        schema: Schema,
        config: DuckDbClientConfiguration,
        capabilities: DestinationCapabilitiesContext,
    ) -> None:
        super().__init__(schema, config, capabilities)
        usual = self.sql_client
        self.sql_client = self.sessions(
            usual.dataset_name, usual.staging_dataset_name, config.credentials, capabilities
        )


@configspec(init=False)
class FileConfiguration(DuckDbClientConfiguration):
    """dlt's configuration, which is shown as the URL of the file."""

    def __str__(self) -> str:
        """The same text that dlt gets from SQLAlchemy."""
        return f"duckdb:///{quote(str(self.credentials.database), safe='/:')}"


class ReadableDuckDb(Adapted, destinations.duckdb):
    """dlt's DuckDB destination, to read from.

    Args:
        read_only: whether its connections cannot write, so that a file lets in others that do not either.
    """

    def __init__(self, *args: Any, read_only: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_only = read_only

    def configuration(self, initial_config: Any, accept_partial: bool = False) -> Any:
        """As dlt's, which may be read-only by itself too."""
        found = super().configuration(initial_config, accept_partial)
        if self._read_only and found.credentials is not None:
            found.credentials.read_only = True
        return found

    @property
    def spec(self) -> type[DuckDbClientConfiguration]:
        """The configuration, which says where the file is."""
        return FileConfiguration

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = DuckDbTypes
        return capabilities

    @property
    def client_class(self) -> type[DuckDbClient]:
        """The client whose sessions bind no values."""
        return LiteralClient
