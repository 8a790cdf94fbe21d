"""The items of one collection that changed in an interval, with a check of every answer."""

from datetime import UTC, datetime, time, timedelta

from stac_assets.stac.watch.budgeted_client import BudgetedClient
from stac_assets.stac.watch.changed_windows import Calendar
from stac_assets.stac.watch.item_versions import MILLISECOND, Field, ItemVersion, VersionPage
from stac_assets.stac.watch.updated_filter import Direction, UpdatedFilter, instant_text
from stac_assets.stac.windows import Interval

FEW = 20
"""The items of a page that is asked for a sample or an order only."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""No item changed earlier."""
AHEAD = timedelta(days=2)
"""A change later than this after the beginning of today is an error of the catalog. It is not asked for,
because a position behind it would hide all real changes."""


class NotHonoured(Exception):
    """The API does not filter or sort as it was asked to; the message says what came."""


class ChangedItems:
    """Asks for the changed items of one collection.

    Args:
        client: sends the requests.
        calendar: says which windows there are.
        collection: the id of the collection.
        updated_filter: the filter that is added to a search.
        is_sorted: whether results are asked for in the order of their changes.
    """

    def __init__(
        self,
        client: BudgetedClient,
        calendar: Calendar,
        collection: str,
        updated_filter: UpdatedFilter,
        is_sorted: bool,
    ) -> None:
        self.client = client
        self.calendar = calendar
        self.collection = collection
        self.is_sorted = is_sorted
        self.field: Field = updated_filter.field
        self.horizon = datetime.combine(calendar.today, time(), UTC) + AHEAD
        self._filter = updated_filter

    def instant(self, version: ItemVersion) -> datetime:
        """The instant at which an item changed."""
        return version.instants[self.field]

    def page(
        self,
        since: datetime,
        until: datetime | None = None,
        interval: Interval | None = None,
        direction: Direction | None = None,
        size: int | None = None,
    ) -> VersionPage:
        """The first page of the items that changed from `since` up to, but not including, `until`.

        Args:
            since: the first instant.
            until: the instant after the last; by default the horizon, after which nothing is believed.
            interval: what the items touch; by default all windows.
            direction: how they are sorted; by default ascending if the API sorts.
            size: the number of items; by default that of the client.

        Raises:
            NotHonoured: an item changed at another time, so that the API does not filter.
            BudgetExhausted, NotCombinable, StacError: see `BudgetedClient.changed_items`.
        """
        until = until or self.horizon
        if since >= self.horizon:
            return VersionPage((), True, None)
        page = self.client.changed_items(
            self.collection,
            interval or self.calendar.interval,
            Interval(since, until),
            self._filter,
            direction or ("asc" if self.is_sorted else None),
            size,
        )
        for version in page.versions:
            instant = version.instants.get(self.field)
            if instant is None or not since - MILLISECOND <= instant < until + MILLISECOND:
                raise NotHonoured(
                    f"asked for items changed since {instant_text(since)}, it answers with others"
                )
        return page

    def sample(self) -> VersionPage:
        """A few items of all windows, without the filter."""
        return self.client.items(self.collection, self.calendar.interval, FEW)
