"""What the tests of paging say in one line: loads of twelve items, and parts of pages."""

from pathlib import Path
from typing import Any

from stac_assets.stac.figures import Figures
from stac_assets_tests.asking import fetched, ids_of, spooled
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.stac_api_faults import Request

COUNT = 12


def loaded(api: StacApi, resource: str = "search", **options: Any) -> Figures:
    """The figures of a load of `full` after which the table holds every item, once."""
    result = load_days(api, resource, **options)
    assert ids(resource) == sorted(ids_of(COUNT))
    assert result.figures.items == COUNT
    return result.figures


def read(api: StacApi, folder: Path, **options: Any) -> Figures:
    """The same without a table, which is faster: for the many forms of a fault that one test loads."""
    [window] = fetched(api, folder, **options)
    assert window.error is None
    assert spooled(window) == sorted(ids_of(COUNT))
    assert window.figures.items == COUNT
    return window.figures


def without_next(page: Any) -> Any:
    page["links"] = [link for link in page["links"] if link["rel"] != "next"]
    return page


def next_of(page: Any) -> dict[str, Any] | None:
    return next((link for link in page["links"] if link["rel"] == "next"), None)


def token_of(request: Request) -> str | None:
    asked_for = request.body if isinstance(request.body, dict) else request.query
    return asked_for.get("token")
