"""A filter on `updated`, added to a search so that it finds only what changed in an interval.

STAC API has two extensions that can say it: filter (CQL2, https://github.com/stac-api-extensions/filter) and
query (https://github.com/stac-api-extensions/query). Servers differ in how they name a property: some want
`updated`, some `properties.updated`.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from stac_assets.stac.extensions import claims, has_class
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.watch.item_versions import Direction, Field
from stac_assets.stac.windows import Interval


class NotCombinable(Exception):
    """The user's own filter has a condition on the same property already."""


class UpdatedFilter(msgspec.Struct, frozen=True, array_like=True):
    """One way to ask an API for the items that changed in an interval.

    Args:
        extension: the extension of STAC API that it uses.
        field: the property that says when an item changed.
        prefix: what stands before the property's name in the filter.
        text: whether a GET request has the filter as cql2-text; otherwise it has cql2-json.
    """

    extension: Literal["filter", "query"]
    field: Field
    prefix: str = ""
    text: bool = True

    def applied(
        self, request: PageRequest, changed: Interval, direction: Direction | None = None
    ) -> PageRequest:
        """A search, narrowed to the items that changed in `changed`, and sorted by when they did.

        The start of `changed` belongs to it, its end does not.

        Raises:
            NotCombinable: the search has a condition on the property already, and `query` can hold only one.
        """
        is_post = request.method == "POST"
        given = dict((request.body if is_post else request.params) or {})
        added = self._filter if self.extension == "filter" else self._query
        given |= added(given, changed, is_post)
        if direction is not None:
            given["sortby"] = _sortby(f"properties.{self.field}", direction, is_post)
        return replace(request, body=given) if is_post else replace(request, params=given)

    def _filter(self, given: dict[str, Any], changed: Interval, is_post: bool) -> dict[str, Any]:
        own, name = given.get("filter"), self.prefix + self.field
        as_text = isinstance(own, str) and given.get("filter-lang") != "cql2-json"
        if as_text or (own is None and not is_post and self.text):
            ours = " AND ".join(f"{name} {op} TIMESTAMP('{at}')" for op, at in _comparisons(changed))
            return {"filter": f"({own}) AND {ours}" if own else ours, "filter-lang": "cql2-text"}
        parts: list[Any] = [
            {"op": op, "args": [{"property": name}, {"timestamp": at}]} for op, at in _comparisons(changed)
        ]
        if own is not None:
            parts.insert(0, json.loads(own) if isinstance(own, str) else own)
        whole = parts[0] if len(parts) == 1 else {"op": "and", "args": parts}
        return {"filter": whole if is_post else json.dumps(whole), "filter-lang": "cql2-json"}

    def _query(self, given: dict[str, Any], changed: Interval, is_post: bool) -> dict[str, Any]:
        own = given.get("query") or {}
        query = dict(json.loads(own) if isinstance(own, str) else own)
        if query.keys() & {self.field, f"properties.{self.field}"}:
            raise NotCombinable(f"the setting `query` has a condition on {self.field!r} of its own")
        operators = {">=": "gte", "<": "lt"}
        query[self.field] = {operators[op]: at for op, at in _comparisons(changed)}
        return {"query": query if is_post else json.dumps(query)}

    def __str__(self) -> str:
        return f"{self.extension} extension on `{self.prefix}{self.field}`"


def candidates(classes: Iterable[str], field: Field) -> list[UpdatedFilter]:
    """The filters that an API of these conformance classes may honour, the best first. None is proven yet."""
    known = list(classes)
    found = []
    if claims(known, "filter"):
        text = has_class(known, "cql2-text") or not has_class(known, "cql2-json")
        found += [UpdatedFilter("filter", field, prefix, text) for prefix in ("", "properties.")]
    if claims(known, "query"):
        found.append(UpdatedFilter("query", field))
    return found


def instant_text(instant: datetime) -> str:
    """RFC 3339 with milliseconds."""
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _comparisons(changed: Interval) -> Iterator[tuple[str, str]]:
    if changed.start is not None:
        yield ">=", instant_text(changed.start)
    if changed.end is not None:
        yield "<", instant_text(changed.end)


def _sortby(field: str, direction: Direction, is_post: bool) -> Any:
    if is_post:
        return [{"field": field, "direction": direction}]
    return ("+" if direction == "asc" else "-") + field
