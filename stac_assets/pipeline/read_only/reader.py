"""Readers of a dataset: one for each kind of destination, and what all of them do."""

from collections.abc import Callable, Sequence
from typing import Any

from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.comparison import stored_schema
from stac_assets.pipeline.read_only.answer import Answer, Bounds, bounded
from stac_assets.stac.errors import StacError


class QueryRefused(StacError):
    """A query is not run, or failed; the message says why, and holds no secret."""


class NothingStored(QueryRefused):
    """Nothing was loaded yet."""


class Reader:
    """Reads what a pipeline has stored, through dlt's client, which may write.

    So it runs our own queries alone. Subclasses can run those of others too.

    Args:
        pipeline: which is attached to nothing yet.
    """

    refuses: str | None = (
        "this destination gives no connection that is known to read only; its row counts, schemas, "
        "partitions and changes can be asked for"
    )
    """Why nobody else's queries are run; None where they are."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._client: Any = pipeline.destination_client()

    @property
    def dialect(self) -> str:
        """What sqlglot calls the SQL of the destination."""
        return str(self._sql_client.capabilities.sqlglot_dialect or "duckdb")

    def schema(self) -> Schema | None:
        """The schema that the destination remembers; None where nothing was loaded."""
        with self.pipeline.destination_client() as client:
            return stored_schema(client)

    def run(self, sql: str, bounds: Bounds) -> Answer:
        """The answer to somebody else's query.

        Raises:
            QueryRefused: it does more than read, takes too long, or cannot be answered.
        """
        raise QueryRefused(f"SQL is not run here: {self.refuses}")

    def ask(self, sql: str, bounds: Bounds) -> Answer:
        """The answer to a query of our own.

        Raises:
            QueryRefused: it cannot be answered.
        """
        with self.pipeline.sql_client() as client, client.execute_query(sql) as cursor:
            fetch: Callable[[int], Sequence[Any]] = cursor.fetchmany
            return bounded([column[0] for column in cursor.description or ()], fetch, bounds)

    def table(self, name: str) -> str:
        """A table as SQL names it."""
        return str(self._sql_client.make_qualified_table_name(name))

    def column(self, name: str) -> str:
        """A column, or a table without its schema, as SQL names it."""
        return str(self._sql_client.escape_column_name(name))

    def literal(self, text: str) -> str:
        """A text as SQL writes it."""
        return str(self._sql_client.capabilities.escape_literal(text))

    @property
    def _sql_client(self) -> Any:
        return self._client.sql_client
