"""Promotion: which property has a column of its own, and of which type.

That is settled against the schema that the destination holds.

A column, once stored, belongs to one property and keeps its type for good. A value that does not fit
leaves NULL there, stays whole in `properties`, and is counted.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns

from stac_assets.source.columns import ITEM_COLUMNS, PROPERTY_HINT, SOMEBODY, type_of
from stac_assets.source.geometry_column import GEOM
from stac_assets.source.property_types import PROPERTY_TYPES
from stac_assets.source.spool_file import Kind, SpoolFile

if TYPE_CHECKING:  # it is imported with the first row
    import pyarrow as pa

KIND_OF_TYPE: dict[str, Kind] = {
    "text": "text",
    "timestamp": "text",
    "double": "number",
    "bigint": "number",
    "bool": "bool",
}
TYPE_OF_KIND: dict[Kind, str] = {"bool": "bool", "number": "double", "text": "text"}
ALL, NONE = "all", "none"

logger = logging.getLogger("stac_assets")


@dataclass
class Promotion:
    """The promoted columns of one load, by property, and how many values did not fit each.

    Args:
        columns: by property.
        misfits: by property.
        row_bytes: that a row of the destination may have, if it is so narrow that values may not fit.
    """

    columns: dict[str, TColumnSchema]
    misfits: Counter[str] = field(default_factory=Counter)
    row_bytes: int | None = None

    def schema(self) -> pa.Schema:
        """The Arrow schema of every table of this load."""
        return self._schema

    @cached_property
    def _schema(self) -> pa.Schema:
        from stac_assets.source.fitting import arrow_schema

        return arrow_schema([*ITEM_COLUMNS.values(), *self.columns.values()])

    def apply(self, files: Iterable[SpoolFile], table: pa.Table) -> pa.Table:
        """The rows of spool files with the columns, names and types of the destination's table.

        Args:
            files: which the rows come from.
            table: their rows.
        """
        from stac_assets.source.fitting import conform, fitted

        arrays: dict[str, pa.Array | pa.ChunkedArray] = {}
        for source in table.column_names:
            kind, _, name = source.partition(":")
            if source in ITEM_COLUMNS:
                arrays[source] = table[source]
            elif name in self.columns:
                column, values = self.columns[name], table[source]
                data_type = type_of(column)
                if kind == KIND_OF_TYPE[data_type]:
                    array = fitted(values, data_type)
                    arrays[str(column.get("name"))] = array
                    self._count(name, array.null_count - values.null_count)
                else:
                    self._count(name, len(values) - values.null_count)
        for file in files:
            for name, count in file.misfits.items():
                if name in ITEM_COLUMNS or name in self.columns:
                    self._count(name, count)
        if self.row_bytes is not None:
            self._narrow(arrays, table.num_rows, self.row_bytes)
        return conform(arrays, self._schema, table.num_rows)

    def _narrow(self, arrays: dict[str, pa.Array | pa.ChunkedArray], rows: int, most: int) -> None:
        """Leave out, and count, the values for which their row has no room."""
        from stac_assets.source.row_width import keep_to_width

        names = {str(column.get("name")): name for name, column in self.columns.items()}
        others = len(ITEM_COLUMNS) + 2  # dlt's id of the load, and a geometry
        for column, count in keep_to_width(arrays, names, rows, most, others).items():
            self._count(names[column], count)

    def _count(self, name: str, misfits: int) -> None:
        if misfits:
            self.misfits[name] += misfits


def settle(
    stored: TTableSchemaColumns,
    files: Iterable[SpoolFile],
    normalize: Callable[[str], str],
    selected: str | tuple[str, ...] = ALL,
    reserved: frozenset[str] = frozenset(),
    most: int | None = None,
    row_bytes: int | None = None,
) -> Promotion:
    """Decide names and types of the promoted columns.

    A property for which the table has no room left stays in `properties` alone, as one without a name does.

    Args:
        stored: the columns that the table has in the schema synced from the destination.
        files: what was fetched, in the order in which its values count as first.
        normalize: the destination's naming convention.
        selected: `all`, `none`, or names and patterns of properties.
        reserved: names that no column may have, because they mean something else to the destination.
        most: columns that a table of the destination may have.
        row_bytes: that one of its rows may have.
    """
    first: dict[str, Kind] = {}
    for file in files:
        for name, kind in file.kinds.items():
            first.setdefault(name, kind)
    claimed = {
        str(column.get(PROPERTY_HINT)): column for column in stored.values() if column.get(PROPERTY_HINT)
    }
    nobodys = {name for name, column in stored.items() if column.get(PROPERTY_HINT) == SOMEBODY}
    there = set(stored) | set(ITEM_COLUMNS) | {"_dlt_load_id"}
    room = len(first) if most is None else most - len(there)
    taken = there | {"_dlt_id", GEOM} | reserved
    columns: dict[str, TColumnSchema] = {}
    left_out: list[str] = []
    for name in sorted(first):
        if not _is_selected(name, selected):
            continue
        if name in claimed:
            columns[name] = claimed[name]
            continue
        identifier = _identifier(name, normalize)
        if identifier in nobodys:
            nobodys.remove(identifier)
            columns[name] = {**stored[identifier], "description": f"Property `{name}`"}
            columns[name][PROPERTY_HINT] = name  # type: ignore[literal-required]
            continue
        data_type = PROPERTY_TYPES.get(name, TYPE_OF_KIND[first[name]])
        if identifier and identifier not in taken:
            if room <= 0:
                left_out.append(name)
                continue
            room -= 1
            taken.add(identifier)
            columns[name] = TColumnSchema(
                name=identifier,
                data_type=data_type,  # type: ignore[typeddict-item]
                nullable=True,
                description=f"Property `{name}`",
            )
            columns[name][PROPERTY_HINT] = name  # type: ignore[literal-required]
    if left_out:
        logger.warning(
            "a table of this destination has at most %d columns, so that %d properties have none and stay in "
            "`properties`: %s%s; choose by `promote_properties`",
            most,
            len(left_out),
            ", ".join(left_out[:3]),
            " …" if left_out[3:] else "",
        )
    return Promotion(columns, row_bytes=row_bytes)


def _is_selected(name: str, selected: str | tuple[str, ...]) -> bool:
    if isinstance(selected, str):
        return selected == ALL
    return any(fnmatchcase(name, pattern) for pattern in selected)


def _identifier(name: str, normalize: Callable[[str], str]) -> str | None:
    """The column name of a property, or None where nothing of it remains or it does not stay as it is."""
    try:
        identifier = normalize(name)
        stable = normalize(identifier) == identifier
    except ValueError:
        return None
    speaks = any(c.isascii() and c.isalnum() for c in name)  # dlt replaces all else, if need be by `x`
    return identifier if stable and speaks and not identifier.startswith("_dlt") else None
