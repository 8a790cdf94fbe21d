"""The pages of one interval, read once from the first to the last, and how sure it is that they are all."""

import hashlib
import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from zlib import crc32

import msgspec

from stac_assets.stac.documents import Item, Page, Rejected, object_text
from stac_assets.stac.errors import (
    LoopingNext,
    MethodRefused,
    PagingError,
    RequestFailed,
    RequestTooHeavy,
    Unreachable,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.later_pages import LaterPages
from stac_assets.stac.page_limits import PageLimits
from stac_assets.stac.scope import Scope
from stac_assets.stac.windows import Asked, Interval
from stac_assets.stac.witness import ReadPages, Spread, Witness
from stac_assets.stac.wording import counted

MAX_REPEATS = 5
"""The most pages in a row that may repeat earlier items only; with one more the pages run in circles."""
MAX_EMPTY = 20
"""The most empty pages in a row, each with a `next` link; with one more the result counts as endless."""
PROBE_RETRIES = 1
"""The retries of a request that is made because one for more has failed with all of its retries."""

logger = logging.getLogger("stac_assets")


class Ending(Enum):
    """How sure it is that the last page of an interval is the last."""

    SURE = "sure"
    LIKELY = (
        "likely"  # but the API counts more, or it counts nothing and pages repeated items of earlier ones
    )
    CUT_OFF = "cut off"  # or so it may be, by a limit of pages that the API has and does not tell
    LIMITED = "limited"  # or so it may be, by a limit of results: there are as many as one would leave


@dataclass(frozen=True)
class End:
    """The end of an interval's pages.

    Args:
        ending: how sure it is.
        length: the number of documents on the last page.
        total: the number of distinct documents on all pages.
        says_more: whether the API counts more than that.
        is_counted: whether it counts as many.
    """

    ending: Ending
    length: int = 0
    total: int = 0
    says_more: bool = False
    is_counted: bool = False


class FullPage(PagingError):
    """The pages end with one that has no room for more items, and nothing says that it is the last."""

    def __init__(self, interval: Interval, end: End) -> None:
        says = "counts more" if end.says_more else "proves in no way that these are all"
        super().__init__(
            f"the pages of {interval} end with one of {counted(end.length, 'item')} and no `next` link that "
            f"leads on, after {counted(end.total, 'item')}, and the API {says}"
        )
        self.end = end


Pages = Generator[Page, None, End]
"""Yields pages, and returns how they end."""


class IntervalReader:
    """Reads intervals of one window, and hands out each document once, however often it comes.

    Args:
        read: asks the API.
        window: the window to which the intervals belong.
        limits: what the run knows of the API's pages.
        figures: counts what is met.
        scope: what is asked for beside times.
        witness: proves that as many documents as are counted are all.
    """

    def __init__(
        self,
        read: ReadPages,
        window: Asked,
        limits: PageLimits,
        figures: Figures,
        scope: Scope,
        witness: Witness,
    ) -> None:
        self._read = read
        self._window = window
        self._limits = limits
        self._figures = figures
        self._scope = scope
        self._witness = witness
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
        later, spread = LaterPages(self._scope, interval, self._limits), None
        has_shifted = False
        last = length = barren = 0  # documents of the last page, and of the last page that had new ones
        try:
            for page in self._answered(interval, size):
                last, found = page.length, len(here)
                count = self._limits.counts.of(page)
                later.check(page, count)
                if count is not None:
                    matched = max(matched or 0, count)
                    if interval == self._window.interval:
                        self._figures.number_matched = matched
                if not found and count is not None and self._may_be_doubted(count, size, last):
                    spread = Spread()
                yield self._unseen(page, here, spread)
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
        total = len(here)
        says_more = matched is not None and matched > total
        end = End(Ending.SURE, length, total, says_more, matched == total)
        self._limits.counts.read(total)
        return self._judged(interval, size, end, matched, has_shifted, spread or Spread())

    def _may_be_doubted(self, count: int, size: int, length: int) -> bool:
        """Whether a count need be proven once as many documents were read, the first page having `length`."""
        counts = self._limits.counts
        is_filled = count % min(size, length or size) == 0
        return counts.may_end_at(count) or (is_filled and not counts.are_honest)

    def _judged(
        self, interval: Interval, size: int, end: End, matched: int | None, has_shifted: bool, spread: Spread
    ) -> End:
        """The end of pages, of which the API counted `matched` documents, if it counts them.

        Raises:
            FullPage: the last page is full.
            PagingError: the API has more.
        """
        is_full = self._limits.is_full(end.length, size)
        if end.is_counted:
            if self._witness.proves(interval, end.total, is_full, spread):
                return end
            if self._limits.counts.are_of_pages:
                end, matched, self._figures.number_matched = replace(end, is_counted=False), None, None
        if is_full:
            raise FullPage(interval, end)
        is_uncounted = matched is None or matched < end.total
        if (end.says_more or is_uncounted) and self._limits.may_be_full(end.length, end.says_more):
            return replace(end, ending=Ending.CUT_OFF)
        if end.says_more or (is_uncounted and has_shifted):
            return replace(end, ending=Ending.LIKELY)
        if end.is_counted or (is_uncounted and self._limits.counts.pages_may_end_at(end.total)):
            return replace(end, ending=Ending.LIMITED)
        return end

    def _answered(self, interval: Interval, size: int) -> Iterator[Page]:
        """The pages as the API answers with them."""
        patient = not self.in_trouble or interval.halves() is None
        pages = length = 0
        try:
            for page in self._read(interval, size, None if patient else PROBE_RETRIES):
                self._limits.is_down = False
                self._limits.saw_next(length)
                self._limits.weighed(page.length, page.bytes)
                pages, length = pages + 1, page.length
                yield page
        except (MethodRefused, RequestTooHeavy):
            raise
        except (RequestFailed, Unreachable) as error:
            if not pages:
                raise
            # whatever it is, the first page was answered, so that smaller questions may be
            self.in_trouble = True
            raise PagingError(f"{error} (page {pages + 1})") from None

    def _unseen(self, page: Page, here: set[bytes], spread: Spread | None) -> Page:
        """`page` without documents that came before. One that came in this very result is a duplicate.

        Args:
            page: the page.
            here: what came in this result.
            spread: notes the items that are new in this result.
        """
        seen, unseen, repeats = self._seen, [], page.repeats
        found: list[Item] | None = None if spread is None else []
        for item in page.items:
            key = identity(item)
            if key in here:
                self._figures.duplicates += 1
                repeats.append(item)
                continue
            here.add(key)
            if found is not None:
                found.append(item)
            if key in seen:
                repeats.append(item)
            else:
                seen.add(key)
                unseen.append(item)
        page.items = unseen
        page.rejected = [document for document in page.rejected if self._is_new(document, here)]
        if spread is not None:
            spread.add(found or ())
        return page

    def _is_new(self, document: Rejected, here: set[bytes]) -> bool:
        key = digest(document.text.encode())
        if key in here:
            self._figures.duplicates += 1
            return False
        here.add(key)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new


def identity(item: Item) -> bytes:
    """What copies of one document have in common: the id, a check sum of collection, properties and box.

    Several documents may share an id, and links and assets may be signed anew in each answer. Where the id is
    unusable it is the whole text.
    """
    get = item.get
    text = bytes(get("id", b""))
    if text[:1] != b'"' or text == b'""':
        return digest(object_text(item))
    if b"\\" in text:
        try:
            text = msgspec.json.encode(msgspec.json.decode(text))
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return digest(object_text(item))
    check = crc32(get("bbox", b""), crc32(get("properties", b""), crc32(get("collection", b""))))
    return text + check.to_bytes(4, "little")


def digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
