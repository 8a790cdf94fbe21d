"""Ways to ask a search for items changed between two instants, beside what narrows it already.

STAC API knows two: the filter extension (CQL2, https://github.com/stac-api-extensions/filter) and the query
extension (https://github.com/stac-api-extensions/query). Servers differ in how they name a property: some
want `updated`, some `properties.updated`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.watch.item_versions import Field

Direction = Literal["asc", "desc"]


class NotCombinable(Exception):
    """The user's own narrowing already says something of the property."""


@dataclass(frozen=True)
class Between:
    """From `start`, included, up to, not including, `end`; None is open."""

    start: datetime
    end: datetime | None = None

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies between."""
        return self.start <= instant and (self.end is None or instant < self.end)


class Language(msgspec.Struct, frozen=True, array_like=True):
    """How an API is asked for items changed since an instant.

    Args:
        extension: of STAC API.
        field: the item property that tells when it changed.
        prefix: what the filter puts before the property's name.
        text: whether a GET request may hold the filter as cql2-text, and not as cql2-json.
    """

    extension: Literal["filter", "query"]
    field: Field
    prefix: str = ""
    text: bool = True

    def refined(
        self, request: PageRequest, between: Between, direction: Direction | None = None
    ) -> PageRequest:
        """A search, narrowed further to items changed between two instants, and sorted by that.

        Raises:
            NotCombinable: the search's own `query` has conditions of the same kind.
        """
        is_post = request.method == "POST"
        given = dict((request.body if is_post else request.params) or {})
        given |= self._filter(given, between, is_post) if self.extension == "filter" else {}
        given |= self._query(given, between, is_post) if self.extension == "query" else {}
        if direction is not None:
            given["sortby"] = _sortby(f"properties.{self.field}", direction, is_post)
        return replace(request, body=given) if is_post else replace(request, params=given)

    def _filter(self, given: dict[str, Any], between: Between, is_post: bool) -> dict[str, Any]:
        own, name = given.get("filter"), self.prefix + self.field
        as_text = isinstance(own, str) and given.get("filter-lang") != "cql2-json"
        if as_text or (own is None and not is_post and self.text):
            ours = " AND ".join(f"{name} {op} TIMESTAMP('{at}')" for op, at in _comparisons(between))
            return {"filter": f"({own}) AND {ours}" if own else ours, "filter-lang": "cql2-text"}
        parts: list[Any] = [
            {"op": op, "args": [{"property": name}, {"timestamp": at}]} for op, at in _comparisons(between)
        ]
        if own is not None:
            parts.insert(0, json.loads(own) if isinstance(own, str) else own)
        whole = parts[0] if len(parts) == 1 else {"op": "and", "args": parts}
        return {"filter": whole if is_post else json.dumps(whole), "filter-lang": "cql2-json"}

    def _query(self, given: dict[str, Any], between: Between, is_post: bool) -> dict[str, Any]:
        own = given.get("query") or {}
        query = dict(json.loads(own) if isinstance(own, str) else own)
        if query.keys() & {self.field, f"properties.{self.field}"}:
            raise NotCombinable(f"the setting `query` has a condition on {self.field!r} of its own")
        operators = {">=": "gte", "<": "lt"}
        query[self.field] = {operators[op]: at for op, at in _comparisons(between)}
        return {"query": query if is_post else json.dumps(query)}

    def __str__(self) -> str:
        return f"{self.extension} extension on `{self.prefix}{self.field}`"


def languages(classes: Iterable[str], field: Field) -> list[Language]:
    """What may work with an API of these conformance classes, the best first; each is to be proven."""
    known = list(classes)
    found = []
    if claims(known, "filter"):
        text = _claim(known, "cql2-text") or not _claim(known, "cql2-json")
        found += [Language("filter", field, prefix, text) for prefix in ("", "properties.")]
    if claims(known, "query"):
        found.append(Language("query", field))
    return found


CLAIMS = {
    "filter": ("#filter", "/filter", "basic-cql2"),
    "query": ("item-search#query",),
    "sort": ("item-search#sort", "/sort"),
}
"""How the URIs of the conformance classes of extensions end."""


def claims(classes: Iterable[str], extension: str) -> bool:
    """Whether these conformance classes promise an extension, one of `CLAIMS`."""
    return _claim(classes, *CLAIMS[extension])


def _claim(classes: Iterable[str], *ends: str) -> bool:
    return any(uri.rstrip("/").endswith(ends) for uri in classes)


def instant_text(instant: datetime) -> str:
    """RFC 3339 with milliseconds."""
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _comparisons(between: Between) -> Iterator[tuple[str, str]]:
    yield ">=", instant_text(between.start)
    if between.end is not None:
        yield "<", instant_text(between.end)


def _sortby(field: str, direction: Direction, is_post: bool) -> Any:
    if is_post:
        return [{"field": field, "direction": direction}]
    return ("+" if direction == "asc" else "-") + field
