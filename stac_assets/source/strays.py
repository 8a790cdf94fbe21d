"""Strays: items that a window's answer brings, and that another window owns. None of them vanishes.

One that another window of the load owns is stored there, also where that window's own answer lacks it. All
others are counted and named. A plain *overlap*, an item whose own interval touches the window that was asked
for and holds the instant that owns the item, is found by whoever asks for its owner: it is no reason to warn.
"""

import logging
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import msgspec

from stac_assets.source.dealing import Dealer, Elsewhere
from stac_assets.source.fetched import FetchedWindow, NamedItems
from stac_assets.stac.documents import Item, object_text
from stac_assets.stac.interval_reader import digest
from stac_assets.stac.item_times import ItemTimes
from stac_assets.stac.owners import DayOwners
from stac_assets.stac.windows import Interval, partition_key
from stac_assets.stac.wording import counted

MOST_OVERLAPS = 100_000
"""The overlaps that wait for the end of the load, although their own windows should bring them: it bounds
memory and disk. Of strays all wait."""

logger = logging.getLogger("stac_assets")
_decode_item = msgspec.json.Decoder(Item).decode
Waiting = tuple[int, int, str]
"""Where a document stands in the file of those that wait, its length, and the key that owns it."""


class Strays:
    """What the answers of one load bring for other windows than those that were asked for. Threads share it.

    A document that another window of the load owns waits in a file for the end of the load: then that window
    either has it, or gets it.

    Args:
        windows: all windows of the load.
        folder: where the file is.
    """

    def __init__(self, windows: Sequence[FetchedWindow], folder: Path) -> None:
        self._windows = windows
        self._owners = DayOwners((fetched.window, fetched) for fetched in windows)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is closed with the context
        self._length = 0
        self._waiting: dict[int, tuple[FetchedWindow, dict[str, Waiting]]] = {}
        self._overlaps = 0
        self._named: set[tuple[str, str]] = set()
        self.outsiders: dict[str, Item] = {}
        """One item of each collection that has some outside of their own interval, where a question by date
        need not find them."""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def of(self, asked: FetchedWindow, interval: Interval, collections: Sequence[str]) -> Elsewhere:
        """What is to be told of each document that a question brings and that none of its windows owns.

        Args:
            asked: the window with which the documents are named.
            interval: what was asked for.
            collections: likewise.
        """
        return partial(self._take, asked, interval, frozenset(collections))

    def settle(self, deal_to: Callable[[FetchedWindow], Dealer]) -> None:
        """Give each window that was fetched what its own answer lacked, and tell of what is not stored.

        Args:
            deal_to: makes what deals documents to a window.
        """
        for window, waiting in self._waiting.values():
            if window.error is None:
                self._complete(window, waiting, deal_to)
        self._tell()

    def _take(
        self,
        asked: FetchedWindow,
        interval: Interval,
        collections: frozenset[str],
        item: Item,
        row: Mapping[str, Any],
    ) -> None:
        collection, item_id, times = row["collection"], row["id"], ItemTimes.of_row(row)
        is_overlap = collection in collections and times.overlaps(interval)
        owner = times.owner
        window = None if owner is None else self._owners.of(collection, owner.date())
        key = collection if owner is None else partition_key(collection, owner.date())
        with self._lock:
            if collection in collections and owner is not None and not times.is_within:
                self.outsiders.setdefault(collection, item)
            if window is not None:
                self._keep(window, item_id, key, item, is_overlap)
                return
            if (item_id, key) in self._named:
                return
            if len(self._named) < MOST_OVERLAPS:
                self._named.add((item_id, key))
            if is_overlap:
                asked.overlaps = asked.overlaps.plus(item_id, key)
            else:
                asked.strays = asked.strays.plus(item_id, key)

    def _keep(self, window: FetchedWindow, item_id: str, key: str, item: Item, is_overlap: bool) -> None:
        waiting = self._waiting.setdefault(id(window), (window, {}))[1]
        if item_id in waiting or (is_overlap and self._overlaps >= MOST_OVERLAPS):
            return
        self._overlaps += is_overlap
        text = object_text(item)
        self._file.write(text)
        waiting[item_id] = self._length, len(text), key
        self._length += len(text)

    def _complete(
        self,
        window: FetchedWindow,
        waiting: Mapping[str, Waiting],
        deal_to: Callable[[FetchedWindow], Dealer],
    ) -> None:
        from stac_assets.source.spool_files import without_row

        missing = without_row(waiting, window.spool.files)
        if not missing:
            return
        rejected = {digest(row["document"].encode()) for row in window.spool.rejected}
        dealer = deal_to(window)
        for item_id in sorted(missing, key=lambda each: waiting[each]):
            place, length, key = waiting[item_id]
            self._file.seek(place)
            text = self._file.read(length)
            if digest(text.decode("utf-8", "replace").encode()) in rejected:
                continue
            dealer.deal(_decode_item(text))
            window.brought_by_others = window.brought_by_others.plus(item_id, key)
        dealer.flush()

    def _tell(self) -> None:
        strays, overlaps, brought = NamedItems(), NamedItems(), NamedItems()
        for window in self._windows:
            strays.merge(window.strays)
            overlaps.merge(window.overlaps)
            brought.merge(window.brought_by_others)
        if brought:
            logger.warning(
                "%s stored that the API did not find by date, but sent for other dates: %s",
                counted(brought.count, "item is", "items are"),
                brought,
            )
        if strays:
            logger.warning(
                "%s sent that belong to dates or collections which this load does not store: %s",
                counted(strays.count, "item was", "items were"),
                strays,
            )
        if overlaps:
            logger.info(
                "%s the dates of this load and to an earlier or later one, which owns them: %s",
                counted(overlaps.count, "item belongs to", "items belong to"),
                overlaps,
            )
