"""The connection that stores into a DuckDB file: what is configured of it, and its memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from dlt.common.data_writers.escape import escape_duckdb_literal
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from stac_assets.pipeline.errors import StoreFailed, causes
from stac_assets.pipeline.exclusion.database_file import STORAGE_VERSION, opened
from stac_assets.pipeline.exclusion.waiting import Wait
from stac_assets.pipeline.failures import WHOLE
from stac_assets.source.taken_rows import TakenRows
from stac_assets.stac.errors import ConfigurationError

ROW_GROUP_SIZE = 2048
"""Rows that are compressed together, the fewest that DuckDB has; its own 122,880 would be 2 GB of items."""
LEAST_SHREDDED = 1
"""Rows of a row group whose geometries are stored as columns of numbers, in half the room of their WKB.

DuckDB does so by itself from 30,000 on, which our row groups never have.
"""
MEMORY = 48_000_000
"""Bytes that DuckDB may take beside the row groups at hand; with more it would keep what it has written."""
BLOCKS_OF_A_COLUMN = 3
"""What each column holds while rows are appended: a block of values, one of nulls, one to write."""
LAVISH_MEMORY = 320_000_000
"""Bytes that row groups at hand may take without need; beyond them DuckDB uses its temporary folder."""
POINTER = 16
"""Bytes that a long text takes in its block, which points to it. The texts of a block are read at once."""
HEAVY_ROW_GROUP = 200_000_000
"""Bytes of a row group's documents from which on DuckDB neither merges it with others nor logs it."""
FREE_MEMORY = "8MB"
"""Free memory that is given back while heavy rows are stored; usually DuckDB keeps 128 MB and more."""
MANY_COLUMNS = 300
"""From so many columns on most values are null: collections that differ share the table."""
ALIAS = "stac_assets__file"
"""The name of the attached file. No schema may have it: `x.y` is of a file or of a schema `x`."""
CONNECTING = ("custom_user_agent",)
"""Settings of DuckDB that are given when it is opened, or never."""


@contextmanager
def attached(
    file: Path, wait: Wait, credentials: DuckDbCredentials | None = None, name: str = "duckdb"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current database is `file`, with our row groups and what is configured.

    Args:
        file: which exists.
        wait: for others that have it.
        credentials: what dlt has resolved of the destination's.
        name: of the destination in the configuration.

    Raises:
        ConfigurationError: DuckDB refuses what is configured.
        StoreFailed: the file cannot be brought up to date at the end.
    """
    configured: Mapping[str, Any] = (credentials and credentials.global_config) or {}
    connection = duckdb.connect(config={key: configured[key] for key in CONNECTING if key in configured})
    try:
        options = f"STORAGE_VERSION '{STORAGE_VERSION}', ROW_GROUP_SIZE {ROW_GROUP_SIZE}"
        attach = f"ATTACH {_quoted(file)} AS {ALIAS} ({options})"
        opened(file, lambda: connection.execute(attach), wait)
        connection.execute(f"USE {ALIAS}")
        connection.execute("SET GLOBAL write_buffer_row_group_count = 1")
        connection.execute(f"SET GLOBAL geometry_minimum_shredding_size = {LEAST_SHREDDED}")
        connection.execute(f"SET GLOBAL temp_directory = {_quoted(f'{file}.tmp')}")
        if credentials is not None:
            configure(connection, credentials, name)
        yield connection
        try:
            connection.execute(f"CHECKPOINT {ALIAS}")
        except duckdb.Error as error:  # the transaction is in the write-ahead log, or nothing of it is
            reason = str(error).splitlines()[0]
            raise StoreFailed(f"storing into {file} failed ({reason}). {WHOLE}") from error
    finally:
        connection.close()


def configure(connection: duckdb.DuckDBPyConnection, credentials: DuckDbCredentials, name: str) -> None:
    """Apply, once, what the credentials say of a whole connection; what is of each session dlt applies.

    Raises:
        ConfigurationError: DuckDB refuses it.
    """
    for extension in credentials.extensions or ():
        with refused(name, f"extensions: {extension}"):
            connection.execute(f"LOAD {extension}")
    for key, value in (credentials.global_config or {}).items():
        if key not in CONNECTING:
            with refused(name, f"global_config: {key}"):
                connection.execute(f"SET GLOBAL {key} = {escape_duckdb_literal(value)}")
    for number, statement in enumerate(credentials.statements or (), 1):
        with refused(name, f"statements, number {number}"):  # the statement may hold a secret
            connection.execute(statement)


@contextmanager
def refused(name: str, what: str) -> Iterator[None]:
    """Tell what DuckDB refuses as what it is: something that was configured."""
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"DuckDB refuses what [destination.{name}.credentials] says ({what}): {reason} Nothing was stored"
        ) from None


def frugal_limits(
    connection: duckdb.DuckDBPyConnection, columns: int, rows: TakenRows, is_empty: bool
) -> dict[str, str]:
    """Limits with which DuckDB keeps little of what it has written, and of what each thread works on.

    It compresses the texts of one block after another. Rows that make no whole row group it first copies to
    the table, all at once, unless the table is empty. What waits for that may lie in the temporary folder.

    Args:
        connection: an attached one.
        columns: of the table.
        rows: to be stored.
        is_empty: whether the table has no row.
    """
    ((block, memory),) = connection.execute(
        "SELECT block_size, current_setting('memory_limit') FROM pragma_database_size() "
        "WHERE database_name = current_database()"
    ).fetchall()
    number = min(rows.length, ROW_GROUP_SIZE)
    at_once = min(number, block // POINTER) if is_empty or number == ROW_GROUP_SIZE else number
    lavish = min(3 * ROW_GROUP_SIZE * rows.widest, LAVISH_MEMORY)
    documents = max(lavish, at_once * rows.widest * 11 // 10)
    wanted = MEMORY + documents + BLOCKS_OF_A_COLUMN * columns * block
    return {"memory_limit": f"{wanted}B", "threads": "1"} if wanted < _bytes(memory) else {"threads": "1"}


def leave_heavy_rows(connection: duckdb.DuckDBPyConnection, rows: TakenRows) -> None:
    """Have heavy rows written once, and left where they are.

    DuckDB would write a transaction of few rows to its log, from one buffer with all of them, and merge row
    groups that have deleted rows, for which it takes the text of one twice. A row group of which all rows are
    deleted it removes all the same.

    Args:
        connection: an attached one; it is so until its end, as row groups are merged at its last checkpoint.
        rows: to be stored.
    """
    if ROW_GROUP_SIZE * rows.widest >= HEAVY_ROW_GROUP:
        connection.execute("SET GLOBAL max_vacuum_tasks = 0")
        connection.execute("SET GLOBAL checkpoint_threshold = '1B'")
        connection.execute("SET GLOBAL auto_checkpoint_skip_wal_threshold = 0")
        for threshold in ("allocator_flush_threshold", "allocator_bulk_deallocation_flush_threshold"):
            connection.execute(f"SET GLOBAL {threshold} = '{FREE_MEMORY}'")


def compress_sparsely(connection: duckdb.DuckDBPyConnection, columns: int) -> None:
    """Have numbers of a table of many columns compressed by their runs, unless something else is configured.

    DuckDB would choose ALP, which keeps as many bits of a null as of a number.

    Args:
        connection: an attached one; it is so until its end, as most is compressed at its last checkpoint.
        columns: of the table.
    """
    ((disabled,),) = connection.execute("SELECT current_setting('disabled_compression_methods')").fetchall()
    if columns >= MANY_COLUMNS and not disabled:
        connection.execute("SET GLOBAL disabled_compression_methods = 'alp,alprd'")


@contextmanager
def limited(connection: duckdb.DuckDBPyConnection, limits: Mapping[str, str]) -> Iterator[None]:
    """Settings of a connection, for a while."""
    usual = {
        name: connection.execute(f"SELECT current_setting('{name}')").fetchall()[0][0] for name in limits
    }
    try:
        for name, value in limits.items():
            connection.execute(f"SET GLOBAL {name} = '{value}'")
        yield
    finally:
        for name, value in usual.items():
            connection.execute(f"SET GLOBAL {name} = '{value}'")


def lacks_memory(error: BaseException) -> bool:
    """Whether DuckDB says that it has too little memory: while it works, or at the end of a transaction."""
    return any(
        isinstance(cause, duckdb.OutOfMemoryException)
        or (isinstance(cause, duckdb.TransactionException) and "memory_limit" in str(cause))
        for cause in causes(error)
    )


def _bytes(size: str) -> float:
    """The number of bytes that DuckDB writes as, for instance, `57.2 MiB`."""
    number, _, unit = size.partition(" ")
    powers = {"KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4, "PiB": 5}
    return float(number) * 1024 ** powers.get(unit, 0)


def _quoted(path: str | Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
