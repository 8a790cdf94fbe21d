"""How the properties of a collection's items are distributed, counted by the destination in two passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from stac_assets.explore.mirror import Mirror, Rows, Table, absent
from stac_assets.explore.sample import Sample
from stac_assets.source.columns import ITEM_COLUMNS, PROPERTY_HINT, type_of
from stac_assets.source.geometry_column import GEOM

BINS = 25
MOST_VALUES = 12
"""Values of a text that are told; of others only how many items have them."""
MOST_CELLS = 200_000
"""Cells that are looked at to see which properties a collection has: 2,000 rows, or fewer of many columns."""
MOST_ROWS = 2_000
OWN = 0.5
"""Where so large a part of the values is different, they are names of the items, which nobody counts."""
NUMBERS = ("double", "bigint")
COUNTED = ("text", "bool")
TELLING = (
    "eo:cloud_cover",
    "platform",
    "gsd",
    "view:off_nadir",
    "constellation",
    "s2:nodata_pixel_percentage",
)
"""Properties that are shown before others."""
SHOWN = 6


@dataclass(frozen=True)
class Property:
    """A property that has a column.

    Args:
        name: the property's own.
        column: the name of its column.
        is_number: whether it is a number; else a text, or true or false.
    """

    name: str
    column: str
    is_number: bool


@dataclass(frozen=True)
class Distribution:
    """How often a property has which values.

    Args:
        of: which property.
        low: the least value of a number.
        high: the greatest one.
        counts: columns `value` (the lower end of a bin, or the text) and `items`.
        missing: items without it.
        other: items with values that are not among the counts.
    """

    of: Property
    low: float
    high: float
    counts: Rows
    missing: int
    other: int

    @property
    def width(self) -> float:
        """Of a bin."""
        return _width(self.low, self.high)


def properties_of(mirror: Mirror, table: Table, some: Sample) -> list[Property]:
    """The properties that some items of a collection have, the telling ones first.

    Texts that are another one for each item are left out.
    """
    columns = dict(_promoted(table))
    if not columns or not some.items:
        return []
    rows = min(MOST_ROWS, max(100, MOST_CELLS // len(columns)))
    selected = ", ".join(map(_quoted, columns))
    seen = mirror.ask(
        f"SELECT {selected} FROM {table.sql} WHERE {some.condition} LIMIT {rows}",  # noqa: S608
        *some.values,
    )
    found = [each for each in columns.values() if _tells(seen[each.column], each.is_number)]
    places = {name: place for place, name in enumerate(TELLING)}
    return sorted(found, key=lambda each: (places.get(each.name, len(places)), not each.is_number, each.name))


def distributions(
    mirror: Mirror, table: Table, some: Sample, chosen: Sequence[Property]
) -> list[Distribution]:
    """How some properties are distributed over some items."""
    if not chosen:
        return []
    where = f"FROM {table.sql} WHERE {some.condition}"
    edges = _edges(mirror, where, some, [each for each in chosen if each.is_number])
    binned = [_bin(each, *edges.get(each, (0.0, 0.0))) for each in chosen]
    names = [f"b{place}" for place in range(len(chosen))]
    columns = ", ".join(f"{value} AS {name}" for value, name in zip(binned, names, strict=True))
    which = " ".join(f"WHEN GROUPING({name}) = 0 THEN {place}" for place, name in enumerate(names))
    sets = ", ".join(f"({name})" for name in names)
    rows = mirror.ask(
        f"""SELECT which, value, items, of_all FROM (
            SELECT which, value, items, row_number() OVER (PARTITION BY which ORDER BY items DESC, value)
                AS place, sum(items) OVER (PARTITION BY which) AS of_all FROM (
                    SELECT CASE {which} END AS which, coalesce({", ".join([*names, "NULL"])}) AS value,
                        count(*) AS items
                    FROM (SELECT {columns} {where}) AS binned GROUP BY GROUPING SETS ({sets})
                ) AS counted
            ) AS ranked WHERE place <= {BINS + 2}""",  # noqa: S608
        *some.values,
    )
    return [
        _distribution(each, edges.get(each, (0.0, 0.0)), rows[rows["which"] == place], some)
        for place, each in enumerate(chosen)
    ]


def _promoted(table: Table) -> Iterator[tuple[str, Property]]:
    for column, hints in table.columns.items():
        kind = type_of(hints)
        if column in ITEM_COLUMNS or column == GEOM or column[0] == "_" or kind not in NUMBERS + COUNTED:
            continue
        named: Any = hints.get(PROPERTY_HINT)
        yield column, Property(str(named or column), column, kind in NUMBERS)


def _tells(values: Rows, is_number: bool) -> bool:
    present = values.dropna()
    if is_number or len(present) < MOST_VALUES:
        return len(present) > 0
    return present.nunique() <= OWN * len(present)


def _edges(
    mirror: Mirror, where: str, some: Sample, numbers: Sequence[Property]
) -> dict[Property, tuple[float, float]]:
    if not numbers:
        return {}
    columns = (
        f"min({_quoted(each.column)}) AS low_{place}, max({_quoted(each.column)}) AS high_{place}"
        for place, each in enumerate(numbers)
    )
    row = mirror.ask(f"SELECT {', '.join(columns)} {where}", *some.values).iloc[0]
    pairs = zip(row.iloc[::2], row.iloc[1::2], strict=True)
    return {
        each: (float(low), float(high))
        for each, (low, high) in zip(numbers, pairs, strict=True)
        if not absent(low)
    }


def _bin(each: Property, low: float, high: float) -> str:
    """The value of a property as text, or the number of the bin that it is in."""
    column = _quoted(each.column)
    if not each.is_number:
        return f"CAST({column} AS VARCHAR)"
    if high <= low:
        return f"CASE WHEN {column} IS NOT NULL THEN '0' END"
    number = f"CAST({column} AS DOUBLE PRECISION)"
    place = f"floor(({number} - ({low!r})) * {BINS} / ({high - low!r}))"
    if not isfinite(high - low):  # as where a value stands for none: half of each number is not too far
        place = f"floor(({number} / 2 - ({low / 2!r})) / ({_width(low, high) / 2!r}))"
    return f"CAST(CAST(least({place}, {BINS - 1}) AS INTEGER) AS VARCHAR)"


def _distribution(each: Property, edges: tuple[float, float], rows: Rows, some: Sample) -> Distribution:
    low, high = edges
    missing = int(rows.loc[rows["value"].isna(), "items"].sum())
    counts = rows.loc[rows["value"].notna(), ["value", "items"]].copy()
    if each.is_number:
        counts["value"] = _begins(low, high, counts["value"].astype(float))
        return Distribution(each, low, high, counts.sort_values("value"), missing, 0)
    counts = counts.sort_values(["items", "value"], ascending=[False, True]).head(MOST_VALUES)
    total = int(rows["of_all"].iloc[0]) if len(rows) else 0
    return Distribution(each, low, high, counts, missing, total - missing - int(counts["items"].sum()))


def _width(low: float, high: float) -> float:
    """Of a bin."""
    return (high - low) / BINS if isfinite(high - low) else high / BINS - low / BINS


def _begins(low: float, high: float, bins: Rows) -> Rows:
    """Where bins begin, by their numbers."""
    if isfinite(high - low):
        return low + bins * _width(low, high)
    return low * (1 - bins / BINS) + high * (bins / BINS)


def _quoted(column: str) -> str:
    return f'"{column}"'
