"""What `stac-assets check` advises, by the items that an API has; and what it costs to know."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets.cli.main import main
from stac_assets.stac.spans import MOST_COLLECTIONS
from stac_assets_tests.stac_api import Document, StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request

SETTING = "SOURCES__PYSTAC_CLIENT_SOURCE__"
FUTURE = datetime.now(UTC).date() + timedelta(days=14)
Check = Callable[..., str]


@pytest.fixture
def check(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """What `check` of all collections prints, in a terminal of 80 columns without colours."""
    for name, value in {"BASE_URL": api.url, "MAX_RETRIES": "0", "BACKOFF": "0.001"}.items():
        monkeypatch.setenv(SETTING + name, value)
    monkeypatch.setenv("COLUMNS", "80")
    api.extensions = ("sortby",)

    def run(*arguments: str, status: int = 0) -> str:
        assert main(["check", *(arguments or ("--collection", "*"))]) == status
        said = capsys.readouterr().out
        assert max(map(len, said.splitlines())) <= 80 and "\x1b" not in said
        return said

    return run


def spread(
    api: StacApi, collection: str, first: str, count: int, step: timedelta = timedelta(days=1)
) -> None:
    """So many items of a collection, from a day on."""
    start = datetime.fromisoformat(f"{first}T10:00:00+00:00")
    for number in range(count):
        time = (start + number * step).isoformat()
        api.put(make_item(f"{collection}-{number}", collection, time))


def of(said: str, collection: str) -> list[str]:
    """The first day of a collection, its last one, and the number of its items."""
    held = said[said.index("\ncollection  ") :]
    found = re.search(rf"^{re.escape(collection)}  +(.*)$", held, re.M)
    assert found, said
    return re.split(r"  +", found[1])[:3]


def cost(said: str, granularity: str) -> list[str]:
    """Partitions, requests and runs of a granularity."""
    first, *rows = said[said.index("a first load") :].splitlines()[:4]
    column = first.split().index(granularity) - len(first.split())
    return [row.split()[column] for row in rows]


def pasted(said: str) -> dict[str, Any]:
    """The recommended settings, read as `.dlt/config.toml` is."""
    lines = said[said.index("\n[sources") :]
    return tomllib.loads(lines[: lines.index("\n\n", 1)])["sources"]["pystac_client_source"]


def days(said: str) -> dict[str, Any]:
    """Those of the recommended settings that say which days are loaded."""
    return {name: value for name, value in pasted(said).items() if name.endswith("date") or name[0] == "g"}


def claiming(id: str, start: str | None, end: str | None) -> Document:
    """A collection with a temporal extent."""
    return {**make_collection(id), "extent": {"temporal": {"interval": [[start, end]]}}}


def test_spans_are_those_of_the_items_also_in_the_past_and_the_future(check: Check, api: StacApi) -> None:
    api.collections.append(claiming("past", "2000-01-01T00:00:00Z", "2001-01-01T00:00:00Z"))
    spread(api, "past", "1944-03-05", 25)
    spread(api, "forecast", str(FUTURE), 3)
    said = check()
    assert of(said, "past") == ["1944-03-05", "1944-03-29", "25"]
    last = FUTURE + timedelta(days=2)
    assert of(said, "forecast") == [str(FUTURE), str(last), "3"]
    assert days(said) == {"start_date": "1944-03-05", "end_date": str(last), "granularity": "yearly"}
    years = last.year - 1944 + 1
    assert cost(said, "yearly") == [f"{2 * years}", "4", "2"]
    assert cost(said, "daily")[0] == f"{2 * ((last - date(1944, 3, 5)).days + 1):,}"


def test_what_ended_needs_no_end_date(check: Check, api: StacApi) -> None:
    spread(api, "c1", "2024-01-01", 12)
    assert days(check()) == {"start_date": "2024-01-01", "granularity": "yearly"}


def test_an_end_that_is_configured_stays(check: Check, api: StacApi) -> None:
    spread(api, "c1", "2024-01-01", 12)
    assert days(check("--collection", "c1", "--end", "2024-01-31"))["end_date"] == "2024-01-31"


@pytest.mark.parametrize(
    ("page_size", "hours", "granularity"),
    [("2", 6, "daily"), ("20", 8, "weekly"), ("20", 30, "monthly"), ("200", 30, "yearly")],
)
def test_the_granularity_fills_pages(
    check: Check,
    api: StacApi,
    page_size: str,
    hours: int,
    granularity: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SETTING + "PAGE_SIZE", page_size)
    spread(api, "c1", "2024-01-01", 120, timedelta(hours=hours))
    spread(api, "sparse", "2024-01-02", 2)
    assert pasted(check())["granularity"] == granularity


def test_where_nothing_is_counted_the_newest_items_tell_the_density(check: Check, api: StacApi) -> None:
    api.number_matched = None
    spread(api, "c1", "2024-01-01", 100)
    spread(api, "few", "2024-01-01", 4)
    said = check()
    first, last, items = of(said, "c1")
    assert (first, last) == ("2024-01-01", "2024-04-09")
    assert items.startswith("~") and 90 <= int(items.removeprefix("~")) <= 120
    assert "~: about" in said
    assert of(said, "few")[2] == "4"


@pytest.mark.parametrize("sorting", ["none", "ignored", "unsorted", "failing"])
def test_what_is_only_claimed_is_said_to_be(check: Check, api: StacApi, sorting: str) -> None:
    api.collections.append(claiming("c1", "2020-01-01T00:00:00Z", None))
    for number, day in enumerate((5, 2, 9, 1)):
        api.put(make_item(f"i{number}", "c1", f"2024-01-0{day}T00:00:00Z"))
    if sorting == "none":
        api.extensions = ()
    elif sorting == "failing":
        api.fault(lambda request: "sortby" in (request.body or {}), times=None, status=500)
    else:
        api.feigned_extensions = "ignored" if sorting == "ignored" else "unsorted"
    said = check()
    assert of(said, "c1")[:2] == ["(2020-01-01)", ".."] and "(): claimed, not seen" in said
    assert "does not sort items by their time" in said
    assert pasted(said)["start_date"] == "2020-01-01"


def test_collections_that_only_items_name_are_told(check: Check, api: StacApi) -> None:
    spread(api, "c1", "2024-01-01", 3)
    spread(api, "hidden", "2024-01-01", 2)
    api.collections = [known for known in api.collections if known["id"] != "hidden"]
    said = " ".join(check().split())
    assert "Items name 1 collection that /collections does not list: hidden." in said


def test_the_cost_stays_bounded(check: Check, api: StacApi) -> None:
    """Two requests for each collection that is asked for its ends, whatever it holds."""

    def requests(collections: int) -> Counter[bool]:
        for number in range(collections):
            spread(api, f"c{number:03}", "2024-01-01", 15)
        api.reset()
        check()
        return Counter(_asks_for_an_end(request) for request in api.requests)

    few, many = requests(5), requests(3 * MOST_COLLECTIONS)
    assert few[True] == 2 * 5
    assert many[True] == 2 * MOST_COLLECTIONS
    assert few[False] <= 2 * 5 + 16 and many[False] <= 2 * 3 * MOST_COLLECTIONS + 16


def _asks_for_an_end(request: Request) -> bool:
    return "sortby" in (request.body or {})


def test_of_many_collections_some_are_asked_and_that_is_told(check: Check, api: StacApi) -> None:
    for number in range(MOST_COLLECTIONS + 1):
        spread(api, f"c{number:03}", "2024-01-01", 1)
    said = " ".join(check().split())
    assert f"Of {MOST_COLLECTIONS + 1} collections, 11 were asked for their first and last items" in said


def test_an_api_without_search_and_without_days_is_no_fault(check: Check, api: StacApi) -> None:
    spread(api, "c1", "2024-01-01", 1)
    api.has_search = False
    api.collections[:] = [{**make_collection("c1"), "extent": {}}]
    said = check("--collection", "c1", "--end", "2024-01-01", status=1)
    assert of(said, "c1") == ["..", "..", "?"]
    assert pasted(said)["item_assets"] == ["collection_items"] and not days(said)


def test_a_post_that_is_refused_becomes_a_get(check: Check, api: StacApi) -> None:
    api.post_search = False
    spread(api, "c1", "2024-01-01", 12)
    assert of(check(), "c1") == ["2024-01-01", "2024-01-12", "12"]
