"""Two documents as JSON values: spaces, the order of members, and how a number is spelled do not count."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

OPENED = ("properties", "assets")
"""Members of which those members are named that differ."""


def same(one: Any, other: Any) -> bool:
    """Whether two parsed JSON values are equal; `true` is no number, as it is in Python."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float) and type(one) is not type(other):
        return _written(one) == _written(other)
    return bool(one == other)


def _written(number: float) -> int | Decimal:
    """A number as it is written: of 1e+23 PostgreSQL tells all digits, and the nearest double is less."""
    return Decimal(repr(number)) if isinstance(number, float) else number


def changed_members(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names of an item's members that differ, such as `properties.eo:cloud_cover`, `assets.B04`, `bbox`.

    Links, and what stands behind the question mark of an asset's href, are no change: APIs write them anew
    for each answer, with signatures and the like.
    """
    return sorted(_changed(without_signatures(before), without_signatures(after)))


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name in before.keys() | after.keys():
        one, other = before.get(name), after.get(name)
        if name in before and name in after and same(one, other):
            continue
        if not above and name in OPENED and isinstance(one, dict) and isinstance(other, dict):
            yield from _changed(one, other, f"{name}.")
        else:
            yield above + name


def without_signatures(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item without its links, and with hrefs of assets that end where their query begins."""
    return {
        name: _unsigned(value) if name == "assets" else value
        for name, value in item.items()
        if name != "links"
    }


def _unsigned(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: each.partition("?")[0] if name == "href" and isinstance(each, str) else _unsigned(each)
            for name, each in value.items()
        }
    return [_unsigned(each) for each in value] if isinstance(value, list) else value
