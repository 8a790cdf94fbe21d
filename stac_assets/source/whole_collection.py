"""Collections that are read whole, once, without a date, because dates do not find all of their items.

What is read is dealt to the windows that were asked for. A collection of few pages is read whole too, since
questions about what dates find would cost as much.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from stac_assets.source.dealing import OfNoWindow
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.outline_reading import FEW_OF, NoOutline, OutlineReading
from stac_assets.source.question import Asking
from stac_assets.source.spool import Spool
from stac_assets.source.undated_plans import Plan, Plans, joined
from stac_assets.source.undated_reading import PagingProof, UndatedReading
from stac_assets.source.workers import work_off
from stac_assets.stac.documents import Item, Page
from stac_assets.stac.errors import (
    Cancelled,
    ConfigurationError,
    EndpointMissing,
    PagingError,
    StacError,
)
from stac_assets.stac.figures import Figures
from stac_assets.stac.undated import Undated
from stac_assets.stac.wording import counted

logger = logging.getLogger("stac_assets")


class _Again(Exception):
    """It is to be read again by another plan: what came cannot be taken on trust, or an outline pays.

    Args:
        plan: how far.
        by_outline: whether only what the windows own is to be read.
    """

    def __init__(self, plan: Plan, by_outline: bool = False) -> None:
        super().__init__(plan, by_outline)
        self.plan = plan
        self.by_outline = by_outline


class WholeCollections:
    """Reads the collections of a load whole where that is needed, or takes fewest requests.

    Args:
        asking: whom is asked, and how.
        largest: the items of a collection that is read whole at most.
    """

    def __init__(self, asking: Asking, largest: int) -> None:
        self._asking = asking
        self._largest = largest
        self._plans = Plans(asking, largest)
        self._proof = PagingProof()
        # the parts of a box that crosses the antimeridian have items in common, which an outline counts twice
        self._may_outline = asking.endpoint.outline is not None and len(asking.narrowing.parts) == 1

    def read_all(self, windows: Sequence[FetchedWindow], stop: threading.Event) -> list[FetchedWindow]:
        """Read whole what is to be read whole.

        Args:
            windows: those that are asked for.
            stop: is set when no more is wanted.

        Returns:
            The windows that are left, to be asked for by date.
        """
        done: set[int] = set()

        def look(its: Sequence[FetchedWindow]) -> None:
            if self.read(its):
                done.update(map(id, its))

        at_once = self._asking.api.options.max_concurrent_requests
        groups = self._plans.to_look_at(windows)
        work_off(groups, look, at_once, stop)
        if not done and len(groups) == 1 and len({its.window.collection for its in groups[0]}) > 1:
            work_off(self._plans.apart(windows), look, at_once, stop)
        self._count_cost(windows)
        return [fetched for fetched in windows if id(fetched) not in done]

    def read_all_again(
        self, windows: Sequence[FetchedWindow], new_spool: Callable[[], Spool], stop: threading.Event
    ) -> None:
        """Read those collections whole of which the answers by date show that dates hide some items.

        Args:
            windows: those that were asked for by date.
            new_spool: makes an empty spool.
            stop: is set when no more is wanted.
        """
        strays = self._asking.strays
        outsiders = strays.outsiders if strays else {}

        def look(collection: str) -> None:
            its = [fetched for fetched in windows if fetched.window.collection == collection]
            if its:
                self._read_again(its, outsiders[collection], new_spool)

        work_off(list(outsiders), look, self._asking.api.options.max_concurrent_requests, stop)
        self._count_cost(windows)

    def _count_cost(self, windows: Sequence[FetchedWindow]) -> None:
        cost, self._plans.cost = self._plans.cost, Figures()
        if windows:
            windows[0].figures.add(cost)

    def read(
        self, windows: Sequence[FetchedWindow], plan: Plan | None = None, by_outline: bool = False
    ) -> bool:
        """Read all of the windows' collections without a date, if dates do not find all of it.

        Args:
            windows: all windows of a collection, or of several that are small.
            plan: how far, where dates are known to hide something.
            by_outline: whether only what the windows own is to be read.

        Returns:
            Whether the windows are done: fetched, or failed.
        """
        asked = Undated(tuple(dict.fromkeys(fetched.window.collection for fetched in windows)))
        started = time.monotonic()
        self._asking.progress.begun(windows)
        kind = OutlineReading if by_outline else UndatedReading
        reading = kind(self._asking, asked, windows, self._proof)
        try:
            is_done = self._read(reading, plan)
        except (Cancelled, ConfigurationError, EndpointMissing):
            raise
        except _Again as found:
            reading.forget()
            return self.read(windows, found.plan, found.by_outline)
        except NoOutline as error:
            logger.info("%s; the items are read whole", error)
            self._may_outline = False
            reading.forget()
            return self.read(windows, plan)
        except (OfNoWindow, PagingError) as error:
            # another try would fail too, and what dates find is better than nothing
            if reading.is_needed:
                self._tell_incomplete(reading, f"it cannot be read without a date ({error})")
            is_done = False
        except StacError as error:
            is_done = reading.is_needed
            reading.forget()
            if is_done:
                logger.error("%s: %s", asked, error)
                for fetched in windows:
                    fetched.error = error
            else:
                logger.info("%s; going on by date", error)
        for fetched in windows:
            fetched.seconds += (time.monotonic() - started) / len(windows)
        if is_done:
            self._asking.progress.ended(windows)
        else:
            reading.forget()
            self._asking.progress.given_back(windows)
        return is_done

    def _read_again(
        self, windows: Sequence[FetchedWindow], seen: Item, new_spool: Callable[[], Spool]
    ) -> None:
        """Read a collection whole after all, if an item that came shows that dates hide items like it."""
        if any(fetched.incomplete for fetched in windows):
            return
        page = Page([seen], [])
        self._plans.dates.learn(page, [windows[0].window.collection])
        if not self._plans.dates.hidden_in(page):
            return
        fresh = [FetchedWindow(fetched.window, new_spool()) for fetched in windows]
        is_done = self.read(fresh, Plan(True))
        for fetched, new in zip(windows, fresh, strict=True):
            if is_done:
                new.figures.add(fetched.figures.cost())
                fetched.forget()
                fetched.spool, fetched.figures, fetched.error = new.spool, new.figures, new.error
                fetched.requests = new.requests
            fetched.incomplete = new.incomplete
            fetched.seconds += new.seconds
        self._asking.progress.ended(windows)

    def _read(self, reading: UndatedReading, plan: Plan | None) -> bool:
        sample: Page | None = None
        collections = reading.asked.collections
        are_several = len(collections) > 1
        seen = self._plans.seen.get(collections)
        if plan is None and seen is not None and self._outline_pays(reading, seen):
            plan = self._plans.plan(seen, collections)
            if plan is not None:
                raise _Again(plan, by_outline=True)
        try:
            for number, page in enumerate(reading.pages(), 1):
                if plan is None:
                    sample = page if sample is None else joined(sample, page)
                    if not self._plans.may_be_short(sample, number):
                        plan = self._plans.plan(sample, collections)
                        if plan is None:
                            return False
                elif not plan.is_needed and self._plans.dates.hidden_in(page):
                    plan = replace(plan, is_needed=True)
                if are_several:
                    self._plans.note_odd(page)
                if plan is not None:
                    if self._outline_pays(reading, page):
                        raise _Again(plan, by_outline=True)
                    plan = plan if plan.matched is not None else replace(plan, matched=page.number_matched)
                    reading.is_needed = plan.is_needed
                    most = self._plans.most_of(collections, plan.is_needed, reading.is_outline)
                    if max(reading.total, plan.matched or 0) > most:
                        if plan.is_needed and not are_several:  # of several each has its turn
                            self._tell_too_large(reading, plan)
                        return False
                reading.deal(page)
            if not reading.is_needed and reading.may_be_cut_off:
                raise PagingError(
                    f"{reading.asked}: {reading.total} items may be where the API ends an answer"
                )
        except (OfNoWindow, PagingError):
            if plan is None and sample is not None:
                plan = self._plans.plan(sample, collections)
                if plan is not None and plan.is_needed:
                    raise _Again(plan) from None
            raise
        reading.end()
        if reading.is_needed:
            logger.info("%s: read whole, because dates do not find all of it", reading.asked)
        return True

    def _outline_pays(self, reading: UndatedReading, page: Page) -> bool:
        """Whether to read but the ids and times of all items that are left, and what the windows own of them.

        The windows own few of the items of the page, and more pages follow.
        """
        if reading.is_outline or not self._may_outline or not page.has_next:
            return False
        self._may_outline = self._asking.api.landing.claims("fields")
        return self._may_outline and reading.owned_in(page) * FEW_OF <= page.length

    def _tell_too_large(self, reading: UndatedReading, plan: Plan) -> None:
        size = f"more than {self._largest:,} items" if plan.matched is None else counted(plan.matched, "item")
        why = f"it has {size}, and `largest_whole_collection` is {self._largest:,}"
        self._tell_incomplete(reading, why, plan.hidden)

    def _tell_incomplete(self, reading: UndatedReading, why: str, hidden: int | None = None) -> None:
        some = "some items" if hidden is None else counted(hidden, "item")
        [*collections] = reading.asked.collections
        told = f"dates do not find {some} of {', '.join(collections)}, which is not read whole: {why}"
        logger.warning("%s", told)
        for fetched in reading.windows:
            fetched.incomplete = told
