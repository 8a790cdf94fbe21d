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
    ) -> PageRequest:
        """The first request of a search. pystac-client builds and checks its parameters.

        Args:
            method: `POST` or `GET`.
            collections: the ids of the collections.
            narrowing: the user's filters.
            interval: what the items touch.
            size: the number of items of a page; by default as many as the API has proven to answer with.

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
        if method == "POST":
            return PageRequest("POST", url, body=dict(parameters))
        return PageRequest("GET", url, params=dict(parameters))

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
