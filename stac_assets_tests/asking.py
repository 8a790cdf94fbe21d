"""What the tests of the STAC room say in one line: a client of the test API, and the ids that it finds."""

import json
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from stac_assets.settings import Settings
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.progress import Progress
from stac_assets.source.reader import fetch_windows
from stac_assets.source.spool_files import read_tables
from stac_assets.stac.api import StacApi as Client
from stac_assets.stac.documents import Page
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Window
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.stac_api_faults import Request

TINY: dict[str, Any] = {
    "backoff": 0.001,
    "max_backoff": 0.002,
    "max_retry_after": 0.01,
    "max_retries": 2,
    "connect_timeout": 2.0,
    "read_timeout": 2.0,
    "page_size": 2,
}
"""Every wait in milliseconds; time-outs that only a test which means them runs into."""

DAY = date(2024, 1, 1)
WINDOW = Window("c1", DAY, DAY + timedelta(days=1))


class OnPage(Progress):
    """Calls something with the window and the figures of each page."""

    def __init__(self, call: Callable[[Window, Figures], object]) -> None:
        self._call = call

    def page(self, window: Window, figures: Figures) -> None:
        self._call(window, figures)


def options_for(api: StacApi | str, **options: Any) -> ApiOptions:
    """The options for a client of `api` (or of a URL), with waits of milliseconds."""
    url = api if isinstance(api, str) else api.url
    return Settings(base_url=url, **{**TINY, **options}).api


def client(api: StacApi | str, **options: Any) -> Client:
    """A client of `api` (or of a URL), with waits of milliseconds."""
    return Client(options_for(api, **options))


def searched(asking: Client, window: Window = WINDOW, narrowing: Narrowing | None = None) -> list[str]:
    """The ids that a search finds, in the order of the pages."""
    return page_ids(asking.search(window, narrowing or Narrowing(), Figures()))


def listed(asking: Client, window: Window = WINDOW, narrowing: Narrowing | None = None) -> list[str]:
    """The ids that the items endpoint of a collection has, in the order of the pages."""
    return page_ids(asking.collection_items(window, narrowing or Narrowing(), Figures()))


def page_ids(pages: Iterable[Page]) -> list[str]:
    """The ids of all items of all pages."""
    return [json.loads(bytes(item["id"])) for page in pages for item in page.items]


def some_items(count: int, collection: str = "c1", day: date = DAY) -> list[dict[str, Any]]:
    """Items `a0`, `a1`, … spread evenly over a day."""
    return [
        make_item(f"a{n}", collection, f"{day}T{n * 24 // count:02}:{n * 1440 // count % 60:02}:00Z")
        for n in range(count)
    ]


def ids_of(count: int) -> list[str]:
    """The ids of `some_items`."""
    return [f"a{n}" for n in range(count)]


def asked(api: StacApi, path: str = "/search") -> list[str]:
    """The methods of the requests for a path, in their order."""
    return [request.method for request in api.requests if request.path == path]


def fetched(
    api: StacApi | str, folder: Path, *, days: int = 1, resource: str = "search", **options: Any
) -> list[FetchedWindow]:
    """Fetch the first days of 2024 of `c1`, and nothing else: no dlt, no database."""
    return fetch_windows(client(api, **options), ENDPOINTS[resource], first_days(days), folder)


def first_days(number: int) -> list[Window]:
    """The windows of the first days of 2024 of `c1`."""
    return [Window("c1", DAY + timedelta(n), DAY + timedelta(n + 1)) for n in range(number)]


def spooled(window: FetchedWindow) -> list[str]:
    """The ids of the rows that a window gave; a row twice is there twice."""
    return sorted(id for _, table in read_tables(window.spool.files) for id in table["id"].to_pylist())


def interval_of(request: Request) -> str:
    """The `datetime` that a request for items asks for; empty for any other request, and for a later page."""
    asked_for = request.body if isinstance(request.body, dict) else request.query
    return str(asked_for.get("datetime", ""))


def limit_of(request: Request) -> int:
    """The page size that a request asks for; 0 for any other request."""
    asked_for = request.body if isinstance(request.body, dict) else request.query
    return int(asked_for.get("limit", 0))
