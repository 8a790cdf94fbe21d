"""The view `stac.items`, which unites the tables `search` of all catalogs in one database.

The database itself says which tables these are: a load writes into the comment of its table `search` which
catalog it is of, and in which dataset. One that was dropped, renamed, or moved to another schema is none of
them, and drops out of the view with the next load of any catalog.
"""

import hashlib
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from stac_assets.catalog import VIEWS_SCHEMA
from stac_assets.source.dlt_log import first_line
from stac_assets.stac.endpoints import SEARCH

VIEW = "items"
TABLE = SEARCH.name
FULL_NAME = f"{VIEWS_SCHEMA}.{VIEW}"
GEOMETRY = "geom"
"""The column that the view has only where a table has one of a geometry's type."""

told = set[str]()
"""What this process was told already of views that cannot be made."""

logger = logging.getLogger("stac_assets")


class Kind(StrEnum):
    """What a column of the view holds."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


COLUMNS: Mapping[str, Kind] = {
    "collection": Kind.TEXT,
    "id": Kind.TEXT,
    "datetime": Kind.TIME,
    "start_datetime": Kind.TIME,
    "end_datetime": Kind.TIME,
    "bbox_xmin": Kind.NUMBER,
    "bbox_ymin": Kind.NUMBER,
    "bbox_xmax": Kind.NUMBER,
    "bbox_ymax": Kind.NUMBER,
    "eo_cloud_cover": Kind.NUMBER,
    "platform": Kind.TEXT,
    "gsd": Kind.NUMBER,
}
"""The columns of the view after `catalog`, and before the geometry."""
WANTED = (*COLUMNS, GEOMETRY)

_CONVERTIBLE = {
    Kind.TEXT: re.compile(r".*"),
    Kind.NUMBER: re.compile(
        r"(u?(tiny|small|big|huge)?)int(eger)?|double( precision)?|float|real|(decimal|numeric)(\(.*\))?",
        re.IGNORECASE,
    ),
    Kind.TIME: re.compile(r"(timestamp|date)\b[^[]*", re.IGNORECASE),
}
"""The types of which a database makes a kind whatever the value is; a value of others would fail a query."""
_GEOMETRIES = re.compile(r"""((\w+|"([^"]|"")+")\.)?(geometry|geography)\b""", re.IGNORECASE)
"""Not a text or number: an API may have a property of that name."""
_NOTE = re.compile(r"^stac-assets: catalog (\w+) in (.+)$", re.MULTILINE)
_OURS = re.compile(r"kept by the loads of stac-assets \((\w+)\)")


@dataclass(frozen=True)
class Table:
    """A table `search`.

    Args:
        schema: that it is in.
        comment: of the table.
        columns: the types of those that the view wants, by name.
    """

    schema: str
    comment: str
    columns: Mapping[str, str]

    @property
    def catalog(self) -> str | None:
        """The catalog whose table it is; None if the comment names none, or a table in another schema."""
        noted = _NOTE.search(self.comment)
        return noted[1] if noted and noted[2] == self.schema else None

    def noted(self, catalog: str) -> "Table":
        """The table as the one of a catalog; what else its comment says stays."""
        others = [line for line in self.comment.splitlines() if not _NOTE.match(line)]
        note = f"stac-assets: catalog {catalog} in {self.schema}"
        return replace(self, comment="\n".join([*others, note]))


class Database(ABC):
    """What the view needs of a database, in a transaction.

    Args:
        dataset: the schema of the catalog that was just stored.
    """

    types: ClassVar[Mapping[Kind, str]]
    """The type of each kind."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset

    @abstractmethod
    def tables(self) -> Sequence[Table]:
        """All tables `search`, in whatever schema."""

    @abstractmethod
    def note(self, table: Table) -> None:
        """Write the comment of a table."""

    @abstractmethod
    def comment(self) -> str | None:
        """The comment of the view: nothing if it has none, None if there is no view."""

    @abstractmethod
    def write(self, columns: Mapping[str, str], query: str, comment: str) -> None:
        """Make the view, or another of it.

        Args:
            columns: their types by name.
            query: that it shows.
            comment: of the view.
        """


class NotOurs(Exception):
    """There is a view of that name which somebody else has made."""


def keep_in_step(database: Callable[[], AbstractContextManager[Database]], catalog: str) -> None:
    """Let the view show the table of a catalog that was just stored, and all others.

    The rows are stored without it. So whatever fails is told, for each cause once in a process. The note of
    whose table it is stays where the view fails, for a load of somebody who may write that.

    Args:
        database: a transaction in the database.
        catalog: what the view is to call it.
    """
    try:
        with database() as opened:
            tables = opened.tables()
            is_new = _noted(opened, tables, catalog)
            shown = [] if is_new else _brought_up_to_date(opened, tables)
        if is_new:
            with database() as opened:
                shown = _brought_up_to_date(opened, opened.tables())
    except Exception as error:  # of any driver
        reason = first_line(error)
        _tell_once(f"the rows are stored, but the view {FULL_NAME} over all catalogs is as it was ({reason})")
        return
    if len(shown) > 1:
        logger.info("the view %s unites the items of the catalogs %s", FULL_NAME, ", ".join(shown))


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _noted(database: Database, tables: Sequence[Table], catalog: str) -> bool:
    """Note whose the table is that was just stored; whether nobody had done so."""
    stored = [table for table in tables if table.schema == database.dataset]
    new = [table.noted(catalog) for table in stored if table.catalog != catalog]
    for table in new:
        database.note(table)
    return bool(new)


def _brought_up_to_date(database: Database, tables: Sequence[Table]) -> list[str]:
    """The catalogs that the view shows, if it is another now; none if it is as it was."""
    shown = sorted(((table.catalog, table) for table in tables if table.catalog), key=_by_name)
    columns, query = _columns_and_query(shown, database.types)
    digest = hashlib.sha256(f"{columns}{query}".encode()).hexdigest()[:16]
    found = database.comment()
    if found is not None:
        ours = _OURS.search(found)
        if ours is None:
            raise NotOurs("somebody else has made it; rename it, and the next load makes ours")
        if ours[1] == digest:
            return []
    database.write(columns, query, f"The items of all catalogs, kept by the loads of stac-assets ({digest})")
    return list(dict.fromkeys(name for name, _ in shown))


def _by_name(shown: tuple[str, Table]) -> tuple[str, str]:
    name, table = shown
    return name, table.schema


def _columns_and_query(
    shown: Sequence[tuple[str, Table]], types: Mapping[Kind, str]
) -> tuple[dict[str, str], str]:
    """The columns of the view with their types, and what it shows."""
    columns = {"catalog": types[Kind.TEXT], **{name: types[kind] for name, kind in COLUMNS.items()}}
    geometry = _geometry_of([table for _, table in shown])
    if geometry:
        columns[GEOMETRY] = geometry

    def values(catalog: str, table: Table) -> str:
        of_kinds = (_value(table, name, kind, types[kind]) for name, kind in COLUMNS.items())
        of_geometry = [_shape(table, geometry)] if geometry else []
        each = (f"CAST({literal(catalog)} AS {columns['catalog']})", *of_kinds, *of_geometry)
        named = (f"{value} AS {quoted(name)}" for name, value in zip(columns, each, strict=True))
        return f"SELECT {', '.join(named)}"

    selects = [f"{values(name, table)} FROM {quoted(table.schema)}.{quoted(TABLE)}" for name, table in shown]
    return columns, " UNION ALL ".join(selects) or f"{values('', Table('', '', {}))} WHERE false"


def _value(table: Table, column: str, kind: Kind, wanted: str) -> str:
    found = table.columns.get(column)
    if found is None or not _CONVERTIBLE[kind].fullmatch(found):
        return f"CAST(NULL AS {wanted})"
    return quoted(column) if found.lower() == wanted.lower() else f"CAST({quoted(column)} AS {wanted})"


def _geometry_of(tables: Sequence[Table]) -> str | None:
    """The type of the geometries; without its parameters (a shape, a system) where tables differ in these."""
    found = [t.columns[GEOMETRY] for t in tables if _GEOMETRIES.match(t.columns.get(GEOMETRY, ""))]
    if len(set(found)) < 2:
        return found[0] if found else None
    return _without_parameters(found[0])


def _shape(table: Table, wanted: str) -> str:
    found = table.columns.get(GEOMETRY, "")
    if _without_parameters(found) != _without_parameters(wanted):
        return f"CAST(NULL AS {wanted})"
    return quoted(GEOMETRY) if found == wanted else f"CAST({quoted(GEOMETRY)} AS {wanted})"


def _without_parameters(kind: str) -> str:
    return kind.partition("(")[0]


def _tell_once(message: str) -> None:
    if message not in told:
        told.add(message)
        logger.warning("%s", message)
