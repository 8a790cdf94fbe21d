"""Whether the later pages of a result answer the same question as the first."""

from stac_assets.stac.documents import Page
from stac_assets.stac.errors import PagingError
from stac_assets.stac.page_limits import PageLimits
from stac_assets.stac.scope import Aspect, Scope
from stac_assets.stac.windows import Interval

USUAL_GROWTH = 10
"""New arrivals explain that a count grows from page to page by so many, or by one in so many."""


class LostFilter(PagingError):
    """A `next` link leads to a page that answers another question than the first page does."""


class LaterPages:
    """Compares each page of a result with its first.

    What a first page brings beyond the question is no fault: the API matches otherwise than was thought, or
    it ignores a parameter. A later page that alone does so was asked for without the parameter.

    Args:
        scope: what is asked for.
        interval: of which times.
        limits: what the run knows of the API; it learns here what the API ignores.
    """

    def __init__(self, scope: Scope, interval: Interval, limits: PageLimits) -> None:
        self._scope = scope
        self._interval = interval
        self._limits = limits
        self._usual: set[Aspect] | None = None
        self._count: int | None = None

    def check(self, page: Page, count: int | None) -> None:
        """Compare a page with the first, or note it as the first; a result of one page is not looked at.

        Args:
            page: the page.
            count: the API's count on it.

        Raises:
            LostFilter: the page answers another question.
        """
        if self._usual is None:
            beyond = self._scope.beyond(page, self._interval) if page.has_next else {}
            self._usual = set(beyond)
            self._limits.ignores |= {aspect for aspect, share in beyond.items() if share > 0.5}
        else:
            self._compare_count(count)
            for aspect in self._scope.beyond(page, self._interval):
                if aspect not in self._usual and aspect not in self._limits.ignores:
                    raise LostFilter(
                        f"a later page of {self._interval} has items of another {aspect} than is asked for, "
                        "and the first has none: its `next` link has lost the filter"
                    )
        self._count = count

    def _compare_count(self, count: int | None) -> None:
        before = self._count
        if before is None or count is None:
            return
        if count > before + max(USUAL_GROWTH, before // USUAL_GROWTH):
            raise LostFilter(
                f"the count of {self._interval} is {before:,} on one page and {count:,} on the next: "
                "its `next` link has lost the filter"
            )
