"""One window exactly, whatever the API does: smaller pages, narrower intervals, and proof of the end.

An interval that cannot be read to its end is cut in half, and each half is read on its own. Halves share
an instant, and an item's own interval may touch both; every document is handed out once all the same.
"""

import hashlib
import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
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
    StacError,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.page_limits import SMALLEST_LIMIT, Habits
from stac_assets.stac.windows import Interval, Window
from stac_assets.stac.wording import counted

MAX_REPEATS = 5
"""Pages in a row, all of whose items came before, after which a result counts as run round in circles."""
MAX_EMPTY = 20
"""Empty pages in a row, each with a `next`, after which a result counts as endless."""
PROBE_RETRIES = 1
"""Retries of a request that is made because one for more has failed with all its retries."""
MOST_SPLITS = 32
"""Splits of a window for each of its items: halving a year 25 times leads to a second. Where items touch
every part, such as those that last for days, time tells nothing apart, however often it is halved."""
LOST_TOKEN = {400, 404, 410, 422}
"""Answers to a later page that tell of an expired token."""

logger = logging.getLogger("stac_assets")

ReadPages = Callable[[Interval, int, int | None], Iterator[Page]]
"""The pages of an interval, with so many items each; the last argument bounds the first one's retries."""


class Ending(Enum):
    """How sure it is that the last page of an interval is the last."""

    SURE = "sure"
    LIKELY = "likely"  # but the API counts more items, or it counts none and repeats some of earlier pages
    CUT_OFF = "cut off"  # or so it may be, by a limit that the API has and does not tell


@dataclass(frozen=True)
class _End:
    ending: Ending
    length: int = 0
    """Documents of the last page."""
    total: int = 0
    """Documents of all pages, each once."""
    says_more: bool = False
    """Whether the API counts more than that."""


_IN_PARTS = _End(Ending.SURE)
"""Of an interval that was not read as a whole, so that nothing tells how much it holds."""


class _FullPage(PagingError):
    """A result ends with a page that has no room for more."""

    def __init__(self, interval: Interval, end: _End) -> None:
        says = "counts more" if end.says_more else "does not count them"
        super().__init__(
            f"the pages of {interval} end with one of {counted(end.length, 'item')} and no `next` link that "
            f"leads on, after {counted(end.total, 'item')}, and the API {says}"
        )
        self.length = end.length


Pages = Generator[Page, None, _End]


class Crawl:
    """Reads one window.

    Args:
        read: asks the API.
        window: what is read.
        habits: of the API.
        figures: of the window; what is met here is counted there.
    """

    def __init__(self, read: ReadPages, window: Window, habits: Habits, figures: Figures) -> None:
        self._read = read
        self._window = window
        self._habits = habits
        self._figures = figures
        self._seen: set[bytes] = set()
        self._in_trouble = False
        self._size_matters = True

    def pages(self) -> Iterator[Page]:
        """The pages of the window, without the documents that came before.

        Raises:
            RequestTooHeavy: the API fails even at an interval that cannot be split; the message names it.
            PagingError: the pages of such an interval do not lead to its end, or its halves hold less.
            RequestFailed: something that a smaller request does not help against.
        """
        yield from self._exact(self._window.span)
        matched = self._figures.number_matched
        if matched is not None and len(self._seen) < matched:
            logger.warning(
                "%s: the API counts %d matching items, but has %d, as asking for parts of the window showed; "
                "its count is out of date",
                self._window,
                matched,
                len(self._seen),
            )

    def _exact(self, interval: Interval) -> Iterator[Page]:
        """The pages of an interval, and whatever they left out."""
        end = yield from self._attempted(interval)
        known = len(self._seen)
        yield from self._left_out(interval, end)
        if end.ending is Ending.CUT_OFF and len(self._seen) == known:
            self._habits.proved(end.length, was_whole=True)

    def _left_out(self, interval: Interval, end: _End) -> Iterator[Page]:
        """What the halves of an interval hold that the interval itself, which had such an end, did not."""
        if end.ending is Ending.SURE:
            return
        halves, known = interval.halves(), len(self._seen)
        ends = []
        if halves is not None:
            self._figures.window_splits += 1
            for half in halves:
                ends.append((yield from self._attempted(half)))
        brought_more = len(self._seen) > known
        in_halves = sum(its_end.total for its_end in ends)
        are_whole = bool(ends) and all(its_end is not _IN_PARTS for its_end in ends)
        if end.says_more and not brought_more and are_whole and in_halves < end.total:
            raise PagingError(
                f"the pages of {interval} have {counted(end.total, 'item')}, of which the API counts more, "
                f"and those of its halves together have {in_halves}; it contradicts itself, so ask it again"
            )
        may_be_cut_off = end.ending is Ending.CUT_OFF
        if brought_more and may_be_cut_off:
            self._habits.proved(end.length, was_whole=False)
        if not brought_more and all(its_end.total >= end.total for its_end in ends):
            # a single second, or every item touches both halves: time tells nothing apart any more
            if may_be_cut_off and end.says_more:
                is_whole = yield from self._recounted(interval, end.length)
                if not is_whole:
                    raise _named(_FullPage(interval, end), interval)
            return
        for half, its_end in zip(halves or (), ends, strict=True):
            if brought_more or (may_be_cut_off and its_end.total >= end.total):
                yield from self._left_out(half, its_end)

    def _attempted(self, interval: Interval) -> Pages:
        """The pages of an interval, or those of its halves where it cannot be read as a whole."""
        halves = interval.halves()
        try:
            return (yield from self._settled(interval))
        except _FullPage as error:
            failure = error
            if (yield from self._recounted(interval, error.length)):
                return _IN_PARTS
        except PagingError as error:
            failure = error
        except RequestTooHeavy as error:
            if self._habits.is_down:
                raise
            failure = error
            self._in_trouble = True
            self._habits.is_down = halves is None
        splits_left = MOST_SPLITS * (len(self._seen) + 10) - self._figures.window_splits
        if halves is None or splits_left <= 0:
            raise _named(failure, interval)
        logger.info("%s: %s; going on with both halves of %s", self._window, failure, interval)
        self._figures.window_splits += 1
        for half in halves:
            yield from self._exact(half)
        return _IN_PARTS

    def _recounted(self, interval: Interval, length: int) -> Generator[Page, None, bool]:
        """The pages of an interval in another size than that of its full last page; whether it ends now.

        An API that tells of a next page after one item less will have told of it after all of them.
        """
        sizes = [length - 1]
        if length <= SMALLEST_LIMIT:
            # a page of fewer was never cut off, and one of these sizes ends with such a page
            sizes = [SMALLEST_LIMIT, SMALLEST_LIMIT - 1]
        elif interval.halves() is None:
            sizes.append(SMALLEST_LIMIT)
        for size in sizes:
            if size != length:
                with suppress(PagingError, RequestTooHeavy):
                    yield from self._walked(interval, size)
                    return True
        return False

    def _settled(self, interval: Interval) -> Pages:
        """The pages of an interval, with pages as large as the API can make them."""
        size, may_restart = self._habits.page_size, True
        while True:
            pages = self._figures.pages
            try:
                end = yield from self._walked(interval, size)
            except RequestTooHeavy:
                begun = self._figures.pages > pages
                if (begun and not may_restart) or not self._size_matters or self._habits.is_down:
                    raise
                if size == 1:
                    self._size_matters = begun
                    raise
                may_restart &= not begun
                self._in_trouble = True
                self._figures.page_size_reductions += 1
                size = max(1, size // 2)
            else:
                self._habits.shrink(size)
                return end

    def _walked(self, interval: Interval, size: int) -> Pages:
        """The pages of an interval, up to the last that the API tells of.

        Raises:
            _FullPage: they end with a full page, and nothing says that there is no other.
        """
        here: set[bytes] = set()
        matched: int | None = None  # the most that a page counts: when an item goes, others move up unread
        has_shifted = False
        last = length = barren = 0  # documents of the last page, and of the last page with new ones
        try:
            for page in self._answered(interval, size):
                last, found = page.length, len(here)
                if page.number_matched is not None:
                    matched = max(matched or 0, page.number_matched)
                    if interval == self._window.span:
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
        except MethodRefused:  # from now on requests are GET
            return (yield from self._walked(interval, size))
        except LoopingNext as error:
            logger.info("%s: %s", self._window, error)
            if not last and len(here) != matched:
                raise
        if len(here) == matched:
            return _End(Ending.SURE, length, len(here))
        says_more = matched is not None and matched > len(here)
        end = _End(Ending.SURE, length, len(here), says_more)
        if self._habits.is_full(length, size):
            raise _FullPage(interval, end)
        if (says_more or matched is None) and self._habits.may_be_full(length, says_more):
            return replace(end, ending=Ending.CUT_OFF)
        if says_more or (matched is None and has_shifted):
            return replace(end, ending=Ending.LIKELY)
        return end

    def _answered(self, interval: Interval, size: int) -> Iterator[Page]:
        """The pages that the API gives for an interval."""
        patient = not self._in_trouble or interval.halves() is None
        pages = length = 0
        try:
            for page in self._read(interval, size, None if patient else PROBE_RETRIES):
                self._habits.is_down = False
                self._habits.saw_next(length)
                pages, length = pages + 1, page.length
                yield page
        except (AuthenticationError, MethodRefused, RequestTooHeavy):
            raise
        except RequestFailed as error:
            if pages and error.status in LOST_TOKEN:
                raise PagingError(f"{error} (page {pages + 1})") from None
            raise

    def _unseen(self, page: Page, here: set[bytes]) -> Page:
        """`page` without what came before; what came in this very result is a duplicate."""

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


def _named(error: StacError, interval: Interval) -> StacError:
    error.args = (f"{error}; {interval} cannot be split any further", *error.args[1:])
    return error


def _identity(item: Item) -> bytes:
    """What two documents of the same item have in common; without a usable id it is the whole text."""
    try:
        identifier = msgspec.json.decode(item["id"])
    except (KeyError, msgspec.MsgspecError):
        identifier = None
    if not isinstance(identifier, str) or not identifier:
        return _digest(object_text(item))
    return bytes(item.get("collection", b"")) + b"\n" + identifier.encode("utf-8", "surrogatepass")


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
