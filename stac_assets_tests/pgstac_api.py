"""A STAC API that finds, orders and counts as pgstac does, and runs without PostgreSQL.

pgstac knows an item by its interval: from `start_datetime` to `end_datetime` where it has both, and else its
`datetime` alone. A request with `datetime` finds every item whose interval touches it, the newest first,
whatever the item's own `datetime` says. It counts nothing, unless an operator lets it; then a count is made
once for each question, and told for a day, whatever is added and deleted meanwhile.

with PgstacApi(items=documents, number_matched="numberMatched") as api:
    load(api.url)
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from stac_assets_tests.stac_api import Document, RawItem, StacApi
from stac_assets_tests.stac_api_extensions import Extension
from stac_assets_tests.stac_api_faults import Request

_PAGING = {"token", "limit"}
"""What a question may have that does not change what it finds."""


@dataclass(kw_only=True, eq=False)
class PgstacApi(StacApi):
    """The API; the options are those of `StacApi`, with pgstac's defaults."""

    max_limit: int | None = 10_000
    number_matched: str | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    extensions: tuple[Extension, ...] = ("fields", "filter", "query", "sortby")

    def __post_init__(self, items: Iterable[Document | RawItem]) -> None:
        self._by_collection: dict[str, list[RawItem]] = defaultdict(list)
        self._in_order: list[RawItem] = []
        self._counts: dict[str, int] = {}
        super().__post_init__(())
        for item in items:
            self.put(item)

    def put(self, item: Document | RawItem) -> None:
        """Add an item, or replace the one with its collection and id."""
        raw = RawItem.of(item)
        document = json.loads(raw.text)
        properties = document["properties"]
        if not (properties.get("start_datetime") and properties.get("end_datetime")):
            instant = RawItem.of({**document, "properties": {"datetime": properties["datetime"]}})
            raw = replace(raw, start=instant.start, end=instant.end)
        super().put(raw)
        self._by_collection.clear()

    def remove(self, collection: str, id: str) -> None:
        """Remove an item."""
        super().remove(collection, id)
        self._by_collection.clear()

    def clear(self) -> None:
        """Remove all items. The collections stay."""
        super().clear()
        self._by_collection.clear()

    @property
    def held(self) -> set[tuple[str, str]]:
        """Collection and id of every item that is there now."""
        return set(self._items)

    def _candidates(self, parameters: Document) -> Iterable[RawItem]:
        if not self._by_collection:
            self._in_order = sorted(self._items.values(), key=_place, reverse=True)
            for item in self._in_order:
                self._by_collection[item.collection].append(item)
        names = parameters.get("collections")
        if isinstance(names, list) and len(names) == 1:
            return self._by_collection.get(names[0], ())
        return self._in_order

    def _paging(self, request: Request, matched: int, offset: int, limit: int) -> Document:
        paging = super()._paging(request, matched, offset, limit)
        if "numberMatched" not in paging:
            return {**paging, "numberReturned": max(0, min(limit, matched - offset))}
        asked = request.body if isinstance(request.body, dict) else request.query
        question = {name: value for name, value in asked.items() if name not in _PAGING}
        key = json.dumps([request.path if request.method == "GET" else "", question], sort_keys=True)
        return {**paging, "numberMatched": self._counts.setdefault(key, matched)}


def _place(item: RawItem) -> tuple[object, str]:
    return item.start, item.id
