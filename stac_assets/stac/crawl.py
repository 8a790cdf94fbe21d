"""The crawl: all items of one window, or an error, whatever the API does to its pages.

It makes requests smaller until the API answers them, and takes no result for whole without proof. The
algorithm, with its invariant and why it ends, is in `docs/architecture.md`, "The crawl".
"""

import logging
from collections.abc import Generator, Iterator

from stac_assets.stac.counts import SMALLEST_LIMIT
from stac_assets.stac.documents import Page
from stac_assets.stac.errors import PagingError, RequestTooHeavy, StacError
from stac_assets.stac.figures import Figures
from stac_assets.stac.interval_reader import End, Ending, FullPage, IntervalReader, Pages
from stac_assets.stac.page_limits import PageLimits
from stac_assets.stac.scope import Scope
from stac_assets.stac.windows import ALWAYS, Asked, Interval
from stac_assets.stac.witness import Indivisible, ReadPages, Witness
from stac_assets.stac.wording import counted

MOST_SPLITS = 32
"""The most splits of a window for each of its items. Halving a year 25 times leads to a second; where items
touch every part, such as those that last for days, halves hold as many items as the whole."""
IN_PARTS = End(Ending.SURE)
"""The end of an interval that was read in parts, so that nothing tells how many documents it has."""

logger = logging.getLogger("stac_assets")


class Crawl:
    """Reads the items of one window.

    Args:
        read: asks the API.
        window: the window, or the span of several.
        limits: what the run knows of the API's pages.
        figures: counts what is met.
        scope: what is asked for beside times; by default the window's collections.
    """

    def __init__(
        self,
        read: ReadPages,
        window: Asked,
        limits: PageLimits,
        figures: Figures,
        scope: Scope | None = None,
    ) -> None:
        scope = scope or Scope(frozenset(window.collections))
        witness = Witness(read, scope.collections, limits.counts)
        self._reader = IntervalReader(read, window, limits, figures, scope, witness)
        self._window = window
        self._limits = limits
        self._figures = figures
        self._size_matters = True

    def pages(self) -> Iterator[Page]:
        """The pages of the window, with each document once.

        Raises:
            RequestTooHeavy: the API fails even at an interval that cannot be split; the message names it.
            PagingError: the pages of such an interval do not lead to their end, or an interval holds more
                than its halves together.
            RequestFailed: the API fails in a way in which a smaller request does not help.
        """
        yield from self._exact(self._window.interval)
        matched = self._figures.number_matched
        if matched is not None and self._reader.count < matched:
            logger.warning(
                "%s: the API counts %d matching items, but has %d, as asking for parts of the window showed; "
                "its count is out of date",
                self._window,
                matched,
                self._reader.count,
            )

    def _exact(self, interval: Interval) -> Iterator[Page]:
        """The pages of an interval, and what they left out."""
        end = yield from self._attempted(interval)
        known = self._reader.count
        yield from self._left_out(interval, end)
        if self._reader.count == known and interval != ALWAYS:
            if end.ending is Ending.CUT_OFF:
                self._limits.proved(end.length, was_whole=True)
            if end.ending is Ending.LIMITED:
                # where no counts are asked for, halves are the proof that counts would have been
                self._limits.counts.proved(end.total, 0 if self._limits.counts.costs.are_asked else 1)

    def _left_out(self, interval: Interval, end: End) -> Iterator[Page]:
        """What the halves of an interval have that its own pages, which had this end, did not show."""
        if end.ending is Ending.SURE:
            return
        halves, known = interval.halves(), self._reader.count
        ends = []
        if halves is not None:
            self._figures.window_splits += 1
            for half in halves:
                ends.append((yield from self._attempted(half)))
        brought_more = self._reader.count > known
        in_halves = sum(half_end.total for half_end in ends)
        are_whole = bool(ends) and all(half_end is not IN_PARTS for half_end in ends)
        if end.says_more and not brought_more and are_whole and in_halves < end.total:
            raise PagingError(
                f"the pages of {interval} have {counted(end.total, 'item')}, of which the API counts more, "
                f"and those of its halves together have {in_halves}; it contradicts itself, so ask it again"
            )
        may_be_cut_off = end.ending is Ending.CUT_OFF
        if brought_more and may_be_cut_off:
            self._limits.proved(end.length, was_whole=False)
        if not brought_more and all(half_end.total >= end.total for half_end in ends):
            # it is a single second, or every item touches both halves, so that splitting proves nothing more
            if may_be_cut_off and end.says_more:
                recounted = yield from self._recounted(interval, end)
                if recounted is None:
                    raise _unsplittable(FullPage(interval, end), interval)
            return
        for half, half_end in zip(halves or (), ends, strict=True):
            is_in_doubt = end.ending in (Ending.CUT_OFF, Ending.LIMITED) and half_end.total >= end.total
            if brought_more or is_in_doubt:
                yield from self._left_out(half, half_end)

    def _attempted(self, interval: Interval) -> Pages:
        """The pages of an interval, or where it cannot be read as a whole, those of its halves."""
        halves = interval.halves()
        try:
            return (yield from self._settled(interval))
        except FullPage as error:
            failure = error
            if (end := (yield from self._recounted(interval, error.end))) is not None:
                return end
        except Indivisible as error:
            raise _unsplittable(error, interval) from None
        except PagingError as error:
            failure = error
        except RequestTooHeavy as error:
            if self._limits.is_down:
                raise
            failure = error
            self._reader.in_trouble = True
            self._limits.is_down = halves is None and interval != ALWAYS
        splits_left = MOST_SPLITS * (self._reader.count + 10) - self._figures.window_splits
        if halves is None or splits_left <= 0:
            raise _unsplittable(failure, interval)
        logger.info("%s: %s; going on with both halves of %s", self._window, failure, interval)
        self._figures.window_splits += 1
        for half in halves:
            yield from self._exact(half)
        return IN_PARTS

    def _recounted(self, interval: Interval, end: End) -> Generator[Page, None, End | None]:
        """The pages of an interval in another size, because the last one was full. Returns their end, if any.

        An API that has a `next` link after one item less would have had it after all of them, too. Where it
        fails at the other size, its count has to do.
        """
        sizes = [end.length - 1]
        if end.length <= SMALLEST_LIMIT:
            # pages of so few items are never cut off, and with one of these two sizes the last is not full
            most = self._limits.fitting(SMALLEST_LIMIT)
            sizes = [most, max(1, most - 1)]
        elif interval.halves() is None:
            sizes.append(SMALLEST_LIMIT)
        known, is_refused = self._reader.count, True
        for size in sizes:
            if size != end.length:
                try:
                    recounted = yield from self._reader.pages(interval, size)
                except RequestTooHeavy:
                    continue
                except PagingError:
                    is_refused = False
                else:
                    self._limits.counts.are_honest |= self._reader.count == known
                    return recounted if recounted.ending is Ending.LIMITED else IN_PARTS
        return end if end.is_counted and is_refused else None

    def _settled(self, interval: Interval) -> Pages:
        """The pages of an interval, as large as the API can make them."""
        size, may_restart = self._limits.page_size, True
        while True:
            pages = self._figures.pages
            try:
                end = yield from self._reader.pages(interval, size)
            except RequestTooHeavy:
                has_begun = self._figures.pages > pages
                if (has_begun and not may_restart) or not self._size_matters or self._limits.is_down:
                    raise
                if interval == ALWAYS and not has_begun:  # it can do without an answer
                    raise
                if size == 1:
                    self._size_matters = has_begun
                    raise
                may_restart &= not has_begun
                self._reader.in_trouble = True
                self._figures.page_size_reductions += 1
                size = max(1, size // 2)
            else:
                self._limits.shrink(size)
                return end


def _unsplittable(error: StacError, interval: Interval) -> StacError:
    """The error, which now also says that its interval cannot be split."""
    error.args = (f"{error}; {interval} cannot be split any further", *error.args[1:])
    return error
