"""The first request for the items of a collection, as `/search` and `/collections/{id}/items` want it."""

from collections.abc import Sequence
from typing import Any

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.landing import Landing
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.page_limits import PageLimits
from stac_assets.stac.representations import below
from stac_assets.stac.windows import ALWAYS, Interval

OUTLINE = (
    "id",
    "collection",
    *(f"properties.{name}" for name in ("datetime", "start_datetime", "end_datetime")),
)
"""What an outline tells of an item: which it is, and when."""
BULK = ("assets", "links", "geometry", "bbox")
"""What an outline leaves out, said too, because some APIs add it to what is wanted."""


class ItemRequests:
    """Builds requests for the first page of a result.

    Args:
        landing: says where the endpoints are.
        limits: says how many items a page has for which no other number is given.
    """

    def __init__(self, landing: Landing, limits: PageLimits) -> None:
        self._landing = landing
        self._limits = limits

    def search(
        self,
        method: str,
        collections: Sequence[str],
        narrowing: Narrowing,
        interval: Interval,
        size: int | None = None,
        is_outline: bool = False,
    ) -> PageRequest:
        """The first request of a search. pystac-client builds and checks its parameters.

        Args:
            method: `POST` or `GET`.
            collections: the ids of the collections.
            narrowing: the user's filters.
            interval: what the items touch.
            size: the number of items of a page; by default as many as the API has proven to answer with.
            is_outline: whether only ids and times are wanted (STAC API, Fields extension).

        Raises:
            ConfigurationError: a filter cannot be written as a request.
        """
        from pystac_client import ItemSearch

        url = self._landing.endpoint("search", method)
        try:
            parameters = ItemSearch(
                url,
                method=method,
                limit=size or self._limits.page_size,
                collections=list(collections),
                datetime=None if interval == ALWAYS else str(interval),
                bbox=narrowing.bbox,
                intersects=narrowing.intersects,
                query=narrowing.query,
                filter=narrowing.filter,
            ).get_parameters()
        except Exception as error:  # what cql2 raises for an expression that it cannot read has no class
            reason = (str(error).strip() or repr(error)).splitlines()[-1].strip()
            raise ConfigurationError(
                f"the search for {', '.join(collections)}, {interval} cannot be put together: {reason}; "
                "see the settings bbox, intersects, query and filter"
            ) from None
        wanted: dict[str, Any] = {}
        if is_outline:  # as the extension writes it; pystac-client adds a plus sign in a URL
            as_text = ",".join([*OUTLINE, *(f"-{name}" for name in BULK)])
            as_object = {"include": [*OUTLINE], "exclude": [*BULK]}
            wanted = {"fields": as_object if method == "POST" else as_text}
        if method == "POST":
            return PageRequest("POST", url, body={**parameters, **wanted})
        return PageRequest("GET", url, params={**parameters, **wanted})

    def by_id(self, method: str, collections: Sequence[str], ids: Sequence[str]) -> PageRequest:
        """The first request for those items of some collections that have these ids."""
        url, question = self._landing.endpoint("search", method), {"collections": collections, "ids": ids}
        if method == "POST":
            return PageRequest("POST", url, body={**question, "limit": self._limits.page_size})
        lists = {name: ",".join(texts) for name, texts in question.items()}
        return PageRequest("GET", url, params={**lists, "limit": self._limits.page_size})

    def listing(
        self, collection: str, narrowing: Narrowing, interval: Interval, size: int | None = None
    ) -> PageRequest:
        """The first request for the items of a collection. The arguments are those of `search`."""
        params: dict[str, Any] = {"limit": size or self._limits.page_size}
        if interval != ALWAYS:
            params["datetime"] = str(interval)
        if narrowing.bbox is not None:
            params["bbox"] = ",".join(map(str, narrowing.bbox))
        return PageRequest("GET", below(self._landing.collection_url(collection), "items"), params=params)
