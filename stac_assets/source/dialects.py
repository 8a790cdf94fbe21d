"""What each destination is like: how it takes rows, what it can hold, and how loads are kept apart.

A new destination is an entry here, and where it stores otherwise than dlt does, a file in
`stac_assets/pipeline/destinations`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from stac_assets.source.columns import PARTITION_KEY

DESTINATIONS = "stac_assets.pipeline.destinations"


class Rows(StrEnum):
    """The form in which rows reach a destination."""

    ARROW = "arrow"
    """Arrow tables: the destination reads JSON out of a column of text."""
    FILES = "files"
    """Load files that are written here, with native JSON."""
    VALUES = "values"
    """Python values, for destinations of whose load files nobody knows enough."""


class Locking(StrEnum):
    """What keeps loads of several processes, and of several hosts, from mixing their rows."""

    MACHINE = "machine"
    """Only a lock on this machine: several hosts must not store at the same time."""
    FILE = "file"
    """The destination is a file that lets one process in."""
    SERVER = "server"
    """An advisory lock of the server."""
    OWN_STAGING = "own staging"
    """A staging dataset for each load."""


@dataclass(frozen=True)
class Decimals:
    """Numbers that a decimal type can hold.

    Args:
        most_decimals: digits after the point.
        largest_exponent: the largest exponent that is read, even that of a zero.
    """

    most_decimals: int
    largest_exponent: int


@dataclass(frozen=True)
class GeoView:
    """How a warehouse writes the view that has the geometries of an item table.

    Args:
        shape: the geometry of a column of GeoJSON, whose name goes into the braces.
        statement: that makes the view anew, and leaves alone who may read it.
        takes_new_columns: whether a view can be made anew with other columns, and not only dropped for that.
    """

    shape: str
    statement: str = "CREATE OR REPLACE VIEW {view} AS {query}"
    takes_new_columns: bool = True


@dataclass(frozen=True)
class Dialect:
    """A type of destination.

    Args:
        name: dlt's type of the destination, without its package.
        rows: the form in which rows reach it.
        storage: import path of the class that stores there (see `pipeline/destinations/base.py`).
        locking: what keeps loads from mixing their rows.
        needs: import path of the destination that a dlt pipeline must be given in place of dlt's own, which
            cannot replace rows.
        file_suffix: of the file that the destination is, if it is one.
        has_strict_json: whether JSON with a member that is there twice, or a number of 1,000 digits, makes it
            refuse a whole file.
        refuses_nul: whether text and JSON may not hold the character U+0000.
        longest_text: bytes that a text may have, where that is less than what items hold.
        integers: the least and the greatest integer that its JSON type holds. Others become the nearest
            double, or fail the load.
        most_levels: levels of nesting that its JSON type holds.
        decimals: other numbers that its JSON type holds.
        most_columns: columns that a table may have.
        row_bytes: bytes that a row may have, without what is stored apart from it (`row_width.py`).
        column_hints: by column of an item table, one of dlt's hints for the layout of its rows.
        table_hints: dlt's hints for the layout of an item table.
        credential_schemes: how the URL of its credentials may begin, where its driver gets that as it is.
        commits_with_truncate: whether a TRUNCATE ends a transaction, of which it is no part.
        replaces_at_once: whether the rows of a partition are deleted and inserted as one, or not at all.
        geo_view: how it writes the view of geometries, where item tables have one.
    """

    name: str
    rows: Rows = Rows.VALUES
    storage: str = f"{DESTINATIONS}.base:Storage"
    locking: Locking = Locking.MACHINE
    needs: str | None = None
    file_suffix: str | None = None
    has_strict_json: bool = False
    refuses_nul: bool = False
    longest_text: int | None = None
    integers: tuple[int, int] | None = None
    most_levels: int | None = None
    decimals: Decimals | None = None
    most_columns: int | None = None
    row_bytes: int | None = None
    column_hints: Mapping[str, str] = field(default_factory=dict)
    table_hints: Mapping[str, Any] = field(default_factory=dict)
    credential_schemes: tuple[str, ...] = ()
    commits_with_truncate: bool = False
    replaces_at_once: bool = True
    geo_view: GeoView | None = None


OTHER = Dialect("other")
"""A destination of which nothing is known but that dlt has it."""

LIBPQ = ("postgresql", "postgres")
"""How a URL begins that libpq takes."""
THIRTY_EIGHT_DIGITS = (1 - 10**38, 10**38 - 1)
LEVELS = 500
"""The JSON type of BigQuery holds the fewest levels of all warehouses; the others are not tried further."""
BY_COLLECTION_AND_TIME = {"collection": "cluster", "datetime": "cluster"}
"""Rows are stored by day, so that what orders them by time also orders them by `_partition_key`."""

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            "duckdb",
            Rows.ARROW,
            f"{DESTINATIONS}.duckdb:DuckDbStorage",
            Locking.FILE,
            file_suffix=".duckdb",
        ),
        Dialect(
            "motherduck",
            Rows.ARROW,
            locking=Locking.OWN_STAGING,
            geo_view=GeoView("TRY(ST_GeomFromGeoJSON(CAST({} AS VARCHAR)))"),  # of `spatial`, on its server
        ),
        Dialect("ducklake", Rows.ARROW, f"{DESTINATIONS}.ducklake:DuckLakeStorage"),
        Dialect(
            "filesystem",
            Rows.ARROW,
            f"{DESTINATIONS}.filesystem.storage:FilesystemStorage",
            needs=f"{DESTINATIONS}.filesystem.destination.PartitionedFilesystem",
        ),
        Dialect(
            "postgres",
            Rows.ARROW,
            f"{DESTINATIONS}.postgres:PostgresStorage",
            Locking.SERVER,
            refuses_nul=True,  # PostgreSQL manual, 8.3 and 8.14
            decimals=Decimals(16_383, 1_000_000_000),  # 8.1.2
            most_columns=1600,  # appendix K
            row_bytes=8160,  # a page of 8 KiB without its own header
            credential_schemes=LIBPQ,
        ),
        Dialect(
            "redshift",
            Rows.FILES,
            locking=Locking.OWN_STAGING,
            refuses_nul=True,
            longest_text=65_535,  # manual, `VARCHAR(MAX)`
            integers=THIRTY_EIGHT_DIGITS,
            most_levels=LEVELS,
            most_columns=1600,
            column_hints={"datetime": "sort"},  # of a text it considers eight bytes
            credential_schemes=LIBPQ,
            commits_with_truncate=True,
            geo_view=GeoView(
                "ST_GeomFromGeoJSON(JSON_SERIALIZE({}))",  # it has none that gives NULL for an error
                # looked up when it is read, or it would keep the table from being dropped
                "CREATE OR REPLACE VIEW {view} AS {query} WITH NO SCHEMA BINDING",
                takes_new_columns=False,
            ),
        ),
        Dialect(
            "bigquery",
            Rows.FILES,
            f"{DESTINATIONS}.bigquery:BigQueryStorage",
            Locking.OWN_STAGING,
            integers=(-(2**63), 2**64 - 1),
            most_levels=LEVELS,
            most_columns=10_000,
            table_hints={
                # by month, because it allows 10,000 partitions, and days since 1972 are more
                "x-bigquery-partition": {"datetime": "TIMESTAMP_TRUNC({column_name}, MONTH)"},
                "x-bigquery-cluster-columns": ["collection", PARTITION_KEY],
            },
            geo_view=GeoView("SAFE.ST_GEOGFROMGEOJSON(TO_JSON_STRING({}), make_valid => TRUE)"),
        ),
        Dialect(
            "snowflake",
            Rows.FILES,
            locking=Locking.OWN_STAGING,
            integers=THIRTY_EIGHT_DIGITS,
            most_levels=LEVELS,
            # of a text it considers the first bytes, which all partition keys of a collection share
            column_hints=BY_COLLECTION_AND_TIME,
            commits_with_truncate=True,  # the manual counts it as DDL
            geo_view=GeoView(
                "TRY_TO_GEOGRAPHY({}, TRUE)", "CREATE OR REPLACE VIEW {view} COPY GRANTS AS {query}"
            ),
        ),
        Dialect(
            "databricks",
            Rows.ARROW,
            f"{DESTINATIONS}.databricks:DatabricksStorage",
            Locking.OWN_STAGING,
            has_strict_json=True,
            integers=THIRTY_EIGHT_DIGITS,
            most_levels=LEVELS,
            column_hints=BY_COLLECTION_AND_TIME,
            replaces_at_once=False,
            geo_view=GeoView("try_to_geometry(to_json({}))"),
        ),
    )
}
"""By dlt's type of the destination."""


DEFAULT = "duckdb"
"""Where rows go that no pipeline has another destination for: Arrow tables without a limit."""


def dialect_of(destination_type: str) -> Dialect:
    """The dialect of a type of destination, as dlt writes it: `duckdb` or `dlt.destinations.duckdb`."""
    name = destination_type.rpartition(".")[2]
    return DIALECTS.get(name) or replace(OTHER, name=name)
