"""Whether the collections of a load exist, which an empty answer does not tell; a bad one fails alone."""

import logging
import threading
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from functools import partial

from stac_assets.source.question import Asking
from stac_assets.source.workers import work_off
from stac_assets.stac.errors import (
    Cancelled,
    ConfigurationError,
    EndpointMissing,
    RequestFailed,
    StacError,
    UnknownCollection,
)
from stac_assets.stac.windows import Span, Window

MANY = 8
"""Collections for which the API's list of them is read before any is asked for by itself."""

logger = logging.getLogger("stac_assets")


def missing_collections(
    asking: Asking, windows: Sequence[Window], listed: Sequence[str], stop: threading.Event
) -> dict[str, StacError]:
    """The collections of which the API has neither a document nor items, each with what it answered.

    One that is listed is there. Of any other its document is asked for, and where that is not to be had,
    its items: there are APIs that refuse the document of a collection whose items they find.

    Args:
        asking: whom is asked, and how.
        windows: all that are asked for.
        listed: collections that the API is known to list.
        stop: is set when no more is wanted.

    Raises:
        EndpointMissing: the endpoint needs the API's collections, and it has none.
        StacError: all collections fail; it is the error of the first.
    """
    by_collection: dict[str, list[Window]] = {}
    for window in windows:
        by_collection.setdefault(window.collection, []).append(window)
    known = set(listed)
    if len(by_collection.keys() - known) > MANY:
        with suppress(RequestFailed, EndpointMissing):
            known |= set(asking.api.listed(by_collection))
    missing: dict[str, StacError] = {}
    checks = [
        partial(_check, asking, Span.of(found), missing)
        for collection, found in by_collection.items()
        if collection not in known
    ]
    work_off(checks, lambda check: check(), asking.api.options.max_concurrent_requests, stop)
    if missing and len(missing) == len(by_collection):
        raise missing[windows[0].collection]
    for collection, error in missing.items():
        logger.error("%s: %s", collection, error)
    return missing


def _check(asking: Asking, span: Span, missing: dict[str, StacError]) -> None:
    [collection] = span.collections
    # a search works without /collections; only, then nothing tells an unknown collection from an empty one
    with nullcontext() if asking.endpoint.needs_collections else suppress(EndpointMissing):
        try:
            asking.api.collection(collection)
        except (RequestFailed, UnknownCollection) as error:
            if _has_items(asking, span):
                logger.warning("%s: its items are found, although its document is not: %s", collection, error)
            else:
                missing[collection] = error


def _has_items(asking: Asking, span: Span) -> bool:
    if asking.endpoint.first_page is None:
        return False
    try:
        return asking.endpoint.first_page(asking.api, span, asking.narrowing, 1, 0).length > 0
    except (Cancelled, ConfigurationError):
        raise
    except StacError:
        return False
