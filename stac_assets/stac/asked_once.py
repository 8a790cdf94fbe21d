"""A client of an API that is looked at as a whole: what all of its parts are about is asked for once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from stac_assets.stac.api import StacApi
from stac_assets.stac.collection_listing import CollectionListing
from stac_assets.stac.documents import Item
from stac_assets.stac.errors import RequestFailed, StacError
from stac_assets.stac.http.options import ApiOptions

T = TypeVar("T")

MAX_RETRIES = 1
"""The retries of a request."""


class AskedOnce(StacApi):
    """A client that keeps the list of collections and the conformance classes, or why they cannot be had.

    Threads share it, once one of them has asked. It does not try again for as long as a load does, so that
    trouble is reported where a load would wait for its end.

    Args:
        options: the options of the API; of the retries, `MAX_RETRIES` are made at most.
    """

    def __init__(self, options: ApiOptions) -> None:
        super().__init__(replace(options, max_retries=min(options.max_retries, MAX_RETRIES)))
        self.listing: CollectionListing | None = None
        """How the collections were listed, once they were asked for."""
        self._kept: dict[str, Any] = {}

    def collections(self) -> Iterator[Item]:
        """The members of every collection document; see `StacApi.collections`."""
        yield from self._once("collections", self._read_collections)

    def conformance(self) -> list[str]:
        """The conformance classes; see `StacApi.conformance`."""
        return self._once("conformance", super().conformance)

    def _read_collections(self) -> list[Item]:
        self.listing = CollectionListing(self.transport, self.landing)
        try:
            return list(self.listing.documents())
        except RequestFailed as error:
            raise self.not_listed(error) from None

    def _once(self, name: str, ask: Callable[[], T]) -> T:
        if name not in self._kept:
            try:
                self._kept[name] = ask()
            except StacError as error:
                self._kept[name] = error
        found = self._kept[name]
        if isinstance(found, StacError):
            raise found
        return found
