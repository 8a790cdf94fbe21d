"""What the tests of the watcher say in one line: polls of a collection, and items that change."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec

from stac_assets.settings import Settings
from stac_assets.stac.api import StacApi
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.watch.budgeted_client import BudgetedClient
from stac_assets.stac.watch.by_totals import MOST_REQUESTS
from stac_assets.stac.watch.changed_windows import Calendar
from stac_assets.stac.watch.patience import impatient
from stac_assets.stac.watch.state import State
from stac_assets.stac.watch.watcher import Changes, Watcher
from stac_assets.stac.windows import Granularity
from stac_assets_tests.stac_api import StacApi as Api
from stac_assets_tests.stac_api import make_item

TODAY = date(2024, 6, 15)

QUICK: dict[str, Any] = {"backoff": 0.001, "max_backoff": 0.002, "max_retries": 1}

START = datetime(2024, 6, 15, 6, tzinfo=UTC)


@dataclass
class Watch:
    """Looks at the collection `c1`, time and again, with a state that goes through JSON in between."""

    api: Api
    today: date = TODAY
    first: date = date(2024, 1, 1)
    last: date | None = None
    granularity: Granularity = Granularity.DAILY
    watch_days: int = 6
    max_requests: int = 50
    page_size: int = 100
    counts: Literal["auto", "never"] = "auto"
    narrowing: Narrowing = field(default_factory=Narrowing)
    state: State | None = None
    requests: int = 0
    spare: int = MOST_REQUESTS
    variation: timedelta = timedelta()
    told: str = ""

    @property
    def calendar(self) -> Calendar:
        """The windows that it looks at."""
        return Calendar(self.first, self.last, self.granularity, self.today)

    def __call__(self) -> Changes:
        options = impatient(
            Settings(base_url=self.api.url, page_size=self.page_size, counts=self.counts, **QUICK).api
        )
        client = BudgetedClient(StacApi(options), self.narrowing, self.max_requests, self.variation)
        changes = Watcher(client, self.calendar, self.watch_days, self.spare).poll("c1", self.state)
        self.told = changes.summary
        if changes.state is not None:
            self.state = msgspec.json.decode(msgspec.json.encode(changes.state), type=State)
        self.requests = client.requests
        assert self.requests <= self.max_requests + 1
        return changes

    def days(self) -> list[str]:
        """The windows with changes of one look."""
        changes = self()
        assert changes.error is None, changes.summary
        return [str(day) for day in sorted(changes.windows)]

    def until_done(self) -> tuple[list[list[str]], str]:
        """The windows that each look found, until one has looked at everything; and the last words."""
        found = []
        for _ in range(60):
            changes = self()
            assert changes.error is None, changes.summary
            found.append([str(day) for day in sorted(changes.windows)])
            if changes.is_complete:
                return found, changes.summary
        raise AssertionError("it never ends")


def without_totals(api: Api, **options: Any) -> Watch:
    """A watch of what `updated` sees by itself."""
    return Watch(api, counts="never", **options)


def at(minutes: float) -> str:
    """An instant as items have it, so many minutes after START."""
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def put(api: Api, name: str, day: str, updated: str | None = None, **more: Any) -> None:
    """Add an item of a day, or change it."""
    properties = {} if updated is None else {"updated": updated}
    api.put(make_item(name, datetime=f"{day}T10:00:00Z", **properties, **more))


def spread(count: int, days: int) -> Iterable[tuple[str, str]]:
    """Ids and days of so many items, on as many days before TODAY."""
    for n in range(count):
        yield f"burst-{n:05}", str(TODAY - timedelta(days=n % days))
