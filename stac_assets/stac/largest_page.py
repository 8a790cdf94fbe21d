"""The largest page that an API answers with, learned by a few small questions before anything is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from stac_assets.stac.documents import Page
from stac_assets.stac.errors import RequestFailed, StacError
from stac_assets.stac.refused_sizes import largest_told
from stac_assets.stac.undated import USUAL_YEARS, Ask
from stac_assets.stac.windows import ALWAYS, Interval

LARGEST = 10_000
"""The most items that pystac-client, and STAC API, let anybody ask for at once."""
USUAL_LIMITS = (1_000, 500, 100, 50, 10)
"""What is tried where a larger `limit` is refused."""
USUAL_SIZES = (1_000, 500, 200, 100, 50, 20, 10)
"""What a page that is to show whether it is cut off is made of."""
PAGE_BYTES = 4_000_000
"""A page of about so many bytes shows it, and costs an API not too much."""
UNKNOWN_BYTES = 20_000
"""An item is taken to have so many where none was seen."""
MOST_TRIES = 5
"""The smaller limits that are tried."""
REFUSALS = {400, 413, 422, 500, 502}
"""The statuses with which a `limit` is refused, or an API fails at it."""
NOTHING_FOUND = 404
"""The status with which some APIs say so."""


@dataclass(frozen=True)
class LargestPage:
    """What was learned.

    Args:
        refused: the HTTP status with which a `limit` of `LARGEST` was refused; None where it was not.
        accepted: the largest `limit` that was answered, though perhaps not with as many items.
        asked: the `limit` with which many items were asked for.
        page: what came: a page of items of all times, asked for without a date.
        error: what kept from learning more.
    """

    refused: int | None = None
    accepted: int | None = None
    asked: int | None = None
    page: Page | None = None
    error: StacError | None = None

    @property
    def is_cut(self) -> bool:
        """Whether the page has fewer items than were asked for, and there are more."""
        page = self.page
        if page is None or self.asked is None or not 0 < page.length < self.asked:
            return False
        return page.has_next or (page.number_matched or 0) > page.length

    @property
    def is_full(self) -> bool:
        """Whether the page has as many items as an API can be seen to put on one."""
        return self.is_cut or (self.page is not None and self.page.length == self.asked)

    @property
    def limit(self) -> int | None:
        """The most items that a page may have; None where no limit showed."""
        if self.is_cut and self.page is not None:
            return self.page.length
        return self.accepted if self.refused is not None else None

    @property
    def proven(self) -> int | None:
        """The items that the page had; None where none came."""
        return self.page.length or None if self.page is not None else None


def largest_page(ask: Ask, collections: Sequence[str], item_bytes: float | None) -> LargestPage:
    """Ask with a large `limit` for nothing, and with a moderate one for many items: mostly two questions.

    The first finds out what is refused, without a large answer. The second finds out what is cut off.

    Args:
        ask: asks for a first page.
        collections: where to find many items.
        item_bytes: the average size of an item; None where none was seen.
    """
    found = _largest_limit(ask, collections)
    if found.error is not None:
        return found
    room, accepted = PAGE_BYTES / (item_bytes or UNKNOWN_BYTES), found.accepted or LARGEST
    sizes = sorted({*USUAL_SIZES, accepted}, reverse=True)
    smallest = min(sizes[-1], accepted)
    size = next((size for size in sizes if size <= min(room, accepted, USUAL_SIZES[0])), smallest)
    try:
        return replace(found, asked=size, page=ask(collections, ALWAYS, size))
    except StacError as error:
        return replace(found, error=error)


def _largest_limit(ask: Ask, collections: Sequence[str]) -> LargestPage:
    """The largest `limit` that is answered, which is sought where what is asked for first is refused."""
    nothing = Interval(USUAL_YEARS.start, USUAL_YEARS.start and USUAL_YEARS.start + timedelta(seconds=1))
    refused: RequestFailed | None = None
    limits = [LARGEST]
    for _ in range(1 + MOST_TRIES):
        limit, *others = limits
        try:
            ask(collections[:1], nothing, limit)
        except RequestFailed as error:
            if error.status == NOTHING_FOUND:
                return LargestPage(refused.status if refused else None, limit)
            if error.status not in REFUSALS:
                return LargestPage(error=error)
            limits = others or [*largest_told(error.body.decode(errors="replace"), limit), *USUAL_LIMITS]
            limits = [smaller for smaller in limits if smaller < limit]
            refused = refused or error
        except StacError as error:
            return LargestPage(error=error)
        else:
            return LargestPage(refused.status if refused else None, limit)
        if not limits:
            break
    return LargestPage(refused.status if refused else None, error=refused)
