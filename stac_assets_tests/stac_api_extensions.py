"""What the test API does with the parameters of the filter, query and sort extensions."""

import datetime as dt
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Literal, Protocol, TypeVar

Extension = Literal["fields", "filter", "query", "sortby"]
CLASSES: dict[Extension, tuple[str, ...]] = {
    "filter": (
        "https://api.stacspec.org/v1.0.0/item-search#filter",
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
        "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
        "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
        "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    ),
    "fields": ("https://api.stacspec.org/v1.0.0/item-search#fields",),
    "query": ("https://api.stacspec.org/v1.0.0/item-search#query",),
    "sortby": ("https://api.stacspec.org/v1.0.0/item-search#sort",),
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    **{">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "=": operator.eq},
    **{"gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt, "eq": operator.eq},
}
COMPARISON = re.compile(
    r"([\w.:]+)\s*(>=|<=|>|<|=)\s*(?:TIMESTAMP\('([^']*)'\)|'([^']*)'|(-?[\d.]+))", re.IGNORECASE
)


class Unusable(ValueError):
    """A parameter that says nothing."""


class HasText(Protocol):
    """An item as the API holds it."""

    @property
    def text(self) -> bytes: ...


I = TypeVar("I", bound=HasText)  # noqa: E741
Condition = tuple[str, str, Any]
"""Property, operator and value."""


def matching(items: list[I], parameters: Mapping[str, Any]) -> list[I]:
    """The items that `filter` and `query` want."""
    for name, op, wanted in [*_filter(parameters.get("filter")), *_query(parameters.get("query"))]:
        get = _getter(name)
        try:
            holds = OPERATORS[op]
            items = [i for i in items if (value := get(i)) is not None and holds(value, wanted)]
        except (KeyError, TypeError):
            raise Unusable(f"{name} {op} {wanted!r} compares nothing") from None
    return items


def in_order(items: list[I], sortby: Any) -> list[I]:
    """The items as `sortby` wants them; those without the property come last."""
    parts = [_sort_text(part) for part in sortby.split(",")] if isinstance(sortby, str) else sortby or []
    for part in reversed(parts):
        get, is_down = _getter(part["field"]), part.get("direction") == "desc"
        has = [item for item in items if get(item) is not None]
        items = sorted(has, key=get, reverse=is_down) + [item for item in items if get(item) is None]
    return items


def reduced(document: dict[str, Any], fields: Any) -> dict[str, Any]:
    """An item with those of its members that `fields` wants."""
    if isinstance(fields, str):
        names = fields.split(",")
        fields = {"include": [name for name in names if not name.startswith("-")]}
    found: dict[str, Any] = {}
    for name in fields.get("include") or ():
        member, _, inner = name.partition(".")
        if not inner and member in document:
            found[member] = document[member]
        elif inner in document.get(member, {}):
            found.setdefault(member, {})[inner] = document[member][inner]
    return found


def _sort_text(text: str) -> dict[str, str]:
    return {"field": text.lstrip("+-"), "direction": "desc" if text.startswith("-") else "asc"}


def _filter(given: Any) -> Iterable[Condition]:
    if not given:
        return []
    if isinstance(given, str) and not given.lstrip().startswith("{"):
        return _cql2_text(given)
    return _cql2_json(json.loads(given) if isinstance(given, str) else given)


def _cql2_json(given: Any) -> list[Condition]:
    match given:
        case {"op": "and", "args": [*parts]}:
            return [condition for part in parts for condition in _cql2_json(part)]
        case {"op": op, "args": [{"property": name}, {"timestamp": text}]}:
            return [(name, op, _value(text))]
        case {"op": op, "args": [{"property": name}, value]}:
            return [(name, op, _value(value))]
    raise Unusable(f"{given} is no CQL2 that this API knows")


def _cql2_text(given: str) -> list[Condition]:
    conditions = []
    for part in re.split(r"\s+AND\s+", given.replace("TIMESTAMP(", "TIMESTAMP\0"), flags=re.IGNORECASE):
        bare = part.strip().strip("(").replace("TIMESTAMP\0", "TIMESTAMP(")
        found = COMPARISON.match(bare)
        if found is None:
            raise Unusable(f"{part!r} is no CQL2 that this API knows")
        name, op, time, text, number = found.groups()
        conditions.append((name, op, float(number) if number else _value(time or text)))
    return conditions


def _query(given: Any) -> list[Condition]:
    query = json.loads(given) if isinstance(given, str) else given or {}
    return [(name, op, _value(value)) for name, found in query.items() for op, value in found.items()]


def _getter(name: str) -> Callable[[HasText], Any]:
    name = name.removeprefix("properties.")
    return lambda item: _properties(item.text).get(name)


@cache
def _properties(text: bytes) -> dict[str, Any]:
    found = json.loads(text).get("properties") or {}
    return {name: _value(value) for name, value in found.items()}


def _value(value: Any) -> Any:
    """A time as an instant, anything else as it is."""
    if isinstance(value, str):
        try:
            time = dt.datetime.fromisoformat(value)
        except ValueError:
            return value
        return time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    return value
