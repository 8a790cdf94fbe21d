"""The pages of one interval, read once from the first to the last, and how sure it is that they are all."""

import hashlib
import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import msgspec

from stac_assets.stac.documents import Item, Page, object_text
from stac_assets.stac.errors import (
    AuthenticationError,
    LoopingNext,
    MethodRefused,
    PagingError,
    RequestFailed,
    RequestTooHeavy,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.page_limits import PageLimits
from stac_assets.stac.windows import Asked, Interval
from stac_assets.stac.wording import counted

MAX_REPEATS = 5
"""The most pages in a row that may repeat earlier items only; with one more the pages run in circles."""
MAX_EMPTY = 20
"""The most empty pages in a row, each with a `next` link; with one more the result counts as endless."""
PROBE_RETRIES = 1
"""The retries of a request that is made because one for more has failed with all of its retries."""
LOST_TOKEN = {400, 404, 410, 422}
"""The statuses of a later page that mean that the token of its `next` link has expired."""

logger = logging.getLogger("stac_assets")

ReadPages = Callable[[Interval, int, int | None], Iterator[Page]]
"""Asks for the pages of an interval, by the number of items on a page and the retries of the first page."""


class Ending(Enum):
    """How sure it is that the last page of an interval is the last."""

    SURE = "sure"
    LIKELY = (
        "likely"  # but the API counts more, or it counts nothing and pages repeated items of earlier ones
    )
    CUT_OFF = "cut off"  # or so it may be, by a limit that the API has and does not tell


@dataclass(frozen=True)
class End:
    """The end of an interval's pages.

    Args:
        ending: how sure it is.
        length: the number of documents on the last page.
        total: the number of distinct documents on all pages.
        says_more: whether the API counts more than that.
    """

    ending: Ending
    length: int = 0
    total: int = 0
    says_more: bool = False


class FullPage(PagingError):
    """The pages end with one that has no room for more items, and nothing says that it is the last."""

    def __init__(self, interval: Interval, end: End) -> None:
        says = "counts more" if end.says_more else "does not count them"
        super().__init__(
            f"the pages of {interval} end with one of {counted(end.length, 'item')} and no `next` link that "
            f"leads on, after {counted(end.total, 'item')}, and the API {says}"
        )
        self.length = end.length


Pages = Generator[Page, None, End]
"""Yields pages, and returns how they end."""


class IntervalReader:
    """Reads intervals of one window, and hands out each document once, however often it comes.

    Args:
        read: asks the API.
        window: the window to which the intervals belong.
        limits: what the run knows of the API's pages.
        figures: counts what is met.
    """

    def __init__(self, read: ReadPages, window: Asked, limits: PageLimits, figures: Figures) -> None:
        self._read = read
        self._window = window
        self._limits = limits
        self._figures = figures
        self._seen: set[bytes] = set()
        self.in_trouble = False
        """Whether the API has failed at a request, so that those for less are not retried as often."""

    @property
    def count(self) -> int:
        """The number of distinct documents that were handed out."""
        return len(self._seen)

    def pages(self, interval: Interval, size: int) -> Pages:
        """The pages of an interval with `size` items each, without the documents that came before.

        Raises:
            FullPage: the pages end with a full one, and nothing says that there is no other.
            PagingError: the pages do not lead to their end.
            RequestFailed: the API failed.
        """
        here: set[bytes] = set()
        matched: int | None = (
            None  # the largest count of all pages: it falls when an item is deleted meanwhile
        )
        has_shifted = False
        last = length = barren = 0  # documents of the last page, and of the last page that had new ones
        try:
            for page in self._answered(interval, size):
                last, found = page.length, len(here)
                if page.number_matched is not None:
                    matched = max(matched or 0, page.number_matched)
                    if interval == self._window.interval:
                        self._figures.number_matched = matched
                yield self._unseen(page, here)
                if len(here) > found:
                    has_shifted |= len(here) < found + last
                    length, barren = last, 0
                    continue
                barren += 1
                if barren > (MAX_REPEATS if last else MAX_EMPTY):
                    raise LoopingNext(f"{barren} pages in a row brought nothing new, each with a `next` link")
            length = last
        except MethodRefused:  # so that from now on requests are GET
            return (yield from self.pages(interval, size))
        except LoopingNext as error:
            logger.info("%s: %s", self._window, error)
            if not last and len(here) != matched:
                raise
        end = End(Ending.SURE, length, len(here), says_more=matched is not None and matched > len(here))
        if len(here) == matched:
            return end
        return self._judged(interval, size, end, matched is None, has_shifted)

    def _judged(self, interval: Interval, size: int, end: End, is_uncounted: bool, has_shifted: bool) -> End:
        """The end of pages that hold another number of documents than the API counts, if it counts them.

        Raises:
            FullPage: the last page is full.
        """
        if self._limits.is_full(end.length, size):
            raise FullPage(interval, end)
        if (end.says_more or is_uncounted) and self._limits.may_be_full(end.length, end.says_more):
            return replace(end, ending=Ending.CUT_OFF)
        if end.says_more or (is_uncounted and has_shifted):
            return replace(end, ending=Ending.LIKELY)
        return end

    def _answered(self, interval: Interval, size: int) -> Iterator[Page]:
        """The pages as the API answers with them."""
        patient = not self.in_trouble or interval.halves() is None
        pages = length = 0
        try:
            for page in self._read(interval, size, None if patient else PROBE_RETRIES):
                self._limits.is_down = False
                self._limits.saw_next(length)
                pages, length = pages + 1, page.length
                yield page
        except (AuthenticationError, MethodRefused, RequestTooHeavy):
            raise
        except RequestFailed as error:
            if pages and error.status in LOST_TOKEN:
                raise PagingError(f"{error} (page {pages + 1})") from None
            raise

    def _unseen(self, page: Page, here: set[bytes]) -> Page:
        """`page` without documents that came before. One that came in this very result is a duplicate."""

        def is_new(key: bytes) -> bool:
            if key in here:
                self._figures.duplicates += 1
                return False
            here.add(key)
            if key in self._seen:
                return False
            self._seen.add(key)
            return True

        page.items = [item for item in page.items if is_new(_identity(item))]
        page.rejected = [document for document in page.rejected if is_new(_digest(document.text.encode()))]
        return page


def _identity(item: Item) -> bytes:
    """What all documents of one item have in common: collection and id, or its text if the id is unusable."""
    try:
        identifier = msgspec.json.decode(item["id"])
    except (KeyError, msgspec.MsgspecError):
        identifier = None
    if not isinstance(identifier, str) or not identifier:
        return _digest(object_text(item))
    return bytes(item.get("collection", b"")) + b"\n" + identifier.encode("utf-8", "surrogatepass")


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
