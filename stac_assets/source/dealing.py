"""Documents are dealt to the windows that own them: each item becomes a row of one window, once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from stac_assets.source.columns import PARTITION_KEY, rejected_key
from stac_assets.source.dialects import Dialect
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.limits import refusal
from stac_assets.source.namesakes import Namesakes
from stac_assets.source.rows import NotARow, build_row, owner_time
from stac_assets.source.spool_file import BATCH_BYTES
from stac_assets.stac.boxes import Box
from stac_assets.stac.documents import DECODE_ERRORS, Item, Rejected, object_text, why
from stac_assets.stac.endpoints import Endpoint
from stac_assets.stac.errors import StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.owners import DayOwners
from stac_assets.stac.scope import is_beside
from stac_assets.stac.windows import partition_key

Elsewhere = Callable[[Item, Mapping[str, Any]], None]
"""Gets a document, and the row of it, that belongs to none of the windows that are dealt to."""


class OfNoWindow(StacError):
    """A document cannot be a row, and does not say which of several windows owns it.

    The windows are then asked for apart, which tells."""


class Dealer:
    """Deals documents to windows, by the collection and the day of each.

    Args:
        windows: those that are dealt to; no two have a day of a collection in common.
        endpoint: where the documents come from.
        dialect: of the destination, for what that cannot hold.
        figures: count what belongs to none of the windows.
        elsewhere: gets what belongs to none of the windows.
        dayless: the window that keeps what cannot be a row and does not tell its day.
        bbox: the box that was asked for; a row outside of it is kept and counted, as some APIs go by another
            geometry.
    """

    def __init__(
        self,
        windows: Sequence[FetchedWindow],
        endpoint: Endpoint,
        dialect: Dialect,
        figures: Figures,
        elsewhere: Elsewhere | None = None,
        dayless: FetchedWindow | None = None,
        bbox: Box | None = None,
    ) -> None:
        self._windows = windows
        self._endpoint = endpoint
        self._dialect = dialect
        self._figures = figures
        self._elsewhere = elsewhere
        self._bbox = bbox
        self.dayless = dayless or (windows[0] if len(windows) == 1 else None)
        self._owners = DayOwners((fetched.window, fetched) for fetched in windows)
        self._seen: set[tuple[str, str]] = set()
        self._namesakes = Namesakes()
        self._unnamed = windows[0].window.collection if len(self._owners.by_collection) == 1 else ""
        """The collection of a document that names none; empty where that may be one of several."""

    def deal(self, item: Item, to: FetchedWindow | None = None) -> None:
        """Make an item a row of the window that owns it.

        Args:
            item: the document.
            to: the window that gets it where none of the windows owns it; by default it is only counted.

        Raises:
            OfNoWindow: it cannot be a row, and nothing tells which of several windows it belongs to.
        """
        try:
            row, properties = build_row(item, self._unnamed)
        except NotARow as error:
            self.reject(Rejected(_text(item), str(error)))
            return
        except DECODE_ERRORS as error:
            self.reject(Rejected(_text(item), why(error)))
            return
        collection = row["collection"]
        if not collection:
            raise OfNoWindow(f"{self}: a document does not tell its collection")
        if collection not in self._owners.by_collection:
            self._belongs_elsewhere(item, row)
            return
        time = owner_time(row)
        if time is None:
            reason = "neither datetime nor start_datetime names a time"
            self.reject(Rejected(_text(item), reason), item_id=row["id"])
            return
        day = time.date()
        fetched = self._owners.of(collection, day) or to
        if fetched is None:
            self._belongs_elsewhere(item, row)
            return
        row[PARTITION_KEY] = partition_key(collection, day)
        size = sum(map(len, item.values()))
        if self.has_seen(collection, row["id"]) and self._namesakes.has(fetched.spool, row):
            self._figures.duplicates += not self._settle(fetched, row, properties, size)
            return
        reason = refusal(item, self._dialect)
        if reason is not None:
            self._keep(Rejected(_text(item), reason), fetched, day)
            return
        self._seen.add((collection, row["id"]))
        fetched.spool.add(row, properties, size)
        self._namesakes.note(fetched.spool, row)
        fetched.figures.items += 1
        fetched.figures.items_outside_bbox += self._bbox is not None and is_beside(self._bbox, row)
        fetched.figures.saw(time)

    def compare(self, item: Item) -> None:
        """Look at an item whose id has come before: it may be another document of that id and day."""
        with suppress(NotARow, *DECODE_ERRORS):
            row, properties = build_row(item, self._unnamed)
            time = owner_time(row)
            if time is None or not self.has_seen(row["collection"], row["id"]):
                return
            fetched = self._owners.of(row["collection"], time.date())
            row[PARTITION_KEY] = partition_key(row["collection"], time.date())
            if fetched is None or refusal(item, self._dialect) is not None:
                return
            if self._namesakes.has(fetched.spool, row):
                self._settle(fetched, row, properties, sum(map(len, item.values())))

    def _settle(
        self, fetched: FetchedWindow, row: dict[str, Any], properties: dict[str, Any], size: int
    ) -> bool:
        """Keep one of two documents of one id and day as the row. Returns whether they are different ones."""
        time = owner_time(row)
        rejected = self._namesakes.settle(fetched.spool, row, properties, size)
        if rejected is not None and time is not None:
            fetched.figures.saw(time)
            self._keep(rejected, fetched, time.date(), row["id"])
        return rejected is not None

    def reject(self, rejected: Rejected, item_id: str | None = None) -> None:
        """Keep a document that cannot be a row with the first day of the only window, or of `dayless`.

        Raises:
            OfNoWindow: there are several.
        """
        fetched = self.dayless
        if fetched is None:
            raise OfNoWindow(f"{self}: a document cannot be a row, and does not tell its day")
        self._keep(rejected, fetched, fetched.window.start, item_id)

    def owns(self, collection: str, day: date) -> bool:
        """Whether one of the windows owns a day of a collection."""
        return self._owners.of(collection, day) is not None

    def has_seen(self, collection: str, item_id: str) -> bool:
        """Whether an item has become a row."""
        return (collection, item_id) in self._seen

    def bound(self) -> None:
        """Write to files what the spools of all windows have gathered, once that is much.

        Several windows hold much where the API has more items than was thought."""
        if sum(fetched.spool.gathered for fetched in self._windows) >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write to files what the spools of all windows have gathered."""
        for fetched in self._windows:
            fetched.spool.flush()

    def _belongs_elsewhere(self, item: Item, row: Mapping[str, Any]) -> None:
        self._figures.items_owned_elsewhere += 1
        if self._elsewhere is not None:
            self._elsewhere(item, row)

    def _keep(
        self, rejected: Rejected, fetched: FetchedWindow, day: date, item_id: str | None = None
    ) -> None:
        collection, resource = fetched.window.collection, self._endpoint.name
        fetched.figures.rejected_items += 1
        document: dict[str, Any] = {
            "resource": resource,
            "collection": collection,
            "id": None if item_id and "\0" in item_id else item_id,  # no destination need hold that
            "reason": rejected.reason,
            "document": rejected.text,
            PARTITION_KEY: rejected_key(resource, partition_key(collection, day)),
        }
        fetched.spool.rejected.add(document)

    def __str__(self) -> str:
        first, last = self._windows[0].window, self._windows[-1].window
        return str(first) if first == last else f"{first} and those up to {last}"


def _text(item: Item) -> str:
    return object_text(item).decode("utf-8", "replace")
