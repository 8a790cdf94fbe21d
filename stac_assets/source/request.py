"""What a load is asked for: one endpoint, and which part of it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from stac_assets.settings import Settings
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import Window


@dataclass(frozen=True)
class LoadRequest:
    """A part of one endpoint.

    Args:
        endpoint: what is asked; its name is the table's too.
        windows: the partitions of an item table.
        collections: the collections of an endpoint that has no items; none for all.
        item_ids: where items are looked up one by one, the ids for each window.
        listed: collections that the API was seen to list when the request was made.
    """

    endpoint: Endpoint
    windows: tuple[Window, ...] = ()
    collections: tuple[str, ...] = ()
    item_ids: Mapping[Window, tuple[str, ...]] = field(default_factory=dict)
    listed: tuple[str, ...] = ()


def whole_request(endpoint: Endpoint, settings: Settings, item_ids: tuple[str, ...] = ()) -> LoadRequest:
    """Everything of an endpoint that the settings name.

    With `collections = "*"` the API is asked which there are, if the endpoint is partitioned by them.

    Args:
        endpoint: what is asked.
        settings: the API, its collections and the range of days.
        item_ids: where items are looked up one by one, the ids to look up in each collection.

    Raises:
        ConfigurationError: the endpoint looks items up, and no id is given.
        StacError: the API does not tell its collections.
    """
    if not endpoint.is_partitioned:
        return LoadRequest(endpoint, collections=settings.named_collections)
    if endpoint.looks_up_items and not item_ids:
        raise ConfigurationError(
            f"the resource `{endpoint.name}` loads single items: give item_ids=[...], or leave it out with "
            '.with_resources("search")'
        )
    from stac_assets.stac.api import StacApi

    listed = ()
    if not settings.named_collections:
        listed = tuple(StacApi(settings.api, threading.Event()).collection_ids())
    named = settings.named_collections or listed
    if not endpoint.has_items:
        return LoadRequest(endpoint, collections=named)
    windows = tuple(window for collection in named for window in settings.windows(collection))
    if not endpoint.looks_up_items:
        return LoadRequest(endpoint, windows, listed=listed)
    first = {window.collection: window for window in reversed(windows)}
    ids = dict.fromkeys(first.values(), item_ids)
    return LoadRequest(endpoint, tuple(first.values()), item_ids=ids, listed=listed)
