"""One statement of any API that calls itself STAC, whatever is odd about it.

The table equals the items of the API, or the partition is as it was and the error names why. Where dates hide
items, and the pages without a date do not lead to their end, the partition says that it may lack some.
Hypothesis mixes what real APIs do to links, redirects, pages, counts and dates.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stac_assets_tests.finding import RULES, found_by, owner_of
from stac_assets_tests.linked_api import SHAPES
from stac_assets_tests.loads import items as table
from stac_assets_tests.loads import load_days
from stac_assets_tests.odd_api import LATER_PAGES, OddApi, become
from stac_assets_tests.stac_api import make_collection, make_item

Items = dict[tuple[str, str], dict[str, Any]]
FIRST, DAYS = datetime(2024, 1, 1), 3
COLLECTIONS = ["c1", "c2"]
ORDINARY: dict[str, Any] = {
    **{"relink": lambda url, link: [link], "only": lambda request: True, "missing": frozenset(), "moved": 0},
    **{"post_search": True, "get_search": True, "last_page": None, "highest_limit": None},
    **{"number_matched": "numberMatched", "next_style": "token", "extensions": ()},
}
"""The options of an API that has no oddity."""


@pytest.fixture
def odd() -> Iterator[OddApi]:
    with OddApi(collections=[make_collection(name) for name in COLLECTIONS]) as running:
        yield running


@st.composite
def contents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some items of two collections at instants and over intervals, of these days and around them."""
    found = []
    hours = st.integers(-20, 24 * DAYS + 20)
    for number, hour in enumerate(draw(st.lists(hours, max_size=40))):
        name, collection = f"i{number}", COLLECTIONS[number % 7 == 0]
        begin, length = _at(hour, number), draw(st.sampled_from([0, 0, 1, 30]))
        match draw(st.sampled_from(["instant", "instant", "interval", "both"])):
            case "instant":
                item = make_item(name, collection, begin)
            case "interval":
                item = make_item(name, collection, start=begin, end=_at(hour + length, number))
            case _:
                times: dict[str, Any] = {
                    "start_datetime": _at(hour - length, number),
                    "end_datetime": _at(hour + 1, number),
                }
                item = make_item(name, collection, datetime=begin, **times)
        found.append(item)
    return found


@st.composite
def oddities(draw: st.DrawFn) -> dict[str, Any]:
    """Options of an API."""
    relink, only = draw(st.sampled_from(SHAPES))
    missing = draw(st.frozensets(st.sampled_from(["search", "data", "conformance"])))
    moved = draw(st.sampled_from([0, 0, 301, 302, 307, 308]))
    works = draw(st.sampled_from(["POST and GET", "POST", "GET"]))
    return {
        "relink": relink,
        "only": (lambda request: True) if missing or moved else only,
        "missing": missing,
        "moved": moved,
        "post_search": "POST" in works,
        "get_search": "GET" in works,
        "last_page": draw(st.sampled_from([None, None, 1, 3])),
        "later": draw(st.sampled_from(list(LATER_PAGES.values()))),
        "highest_limit": draw(st.sampled_from([None, 10, 13])),
        "refusal": draw(st.sampled_from([400, 422])),
        "tells_limit": draw(st.booleans()),
        "number_matched": draw(st.sampled_from(["numberMatched", "context", None])),
        "next_style": draw(st.sampled_from(["token", "merge", "relative", "get_from_post"])),
        "extensions": draw(st.sampled_from([(), ("fields",)])),
    }


@pytest.mark.usefixtures("project")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=contents(),
    after=contents(),
    oddity=oddities(),
    rule=st.sampled_from(list(RULES.values())),
    page_size=st.sampled_from([4, 15, 200]),
    endpoint=st.sampled_from(["search", "search", "collection_items"]),
    largest=st.sampled_from([0, 100_000]),
)
def test_the_table_equals_the_api_or_the_partition_is_as_it_was(
    odd: OddApi,
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    oddity: dict[str, Any],
    rule: Any,
    page_size: int,
    endpoint: str,
    largest: int,
) -> None:
    options: dict[str, Any] = {
        "collections": COLLECTIONS,
        "first": f"{FIRST:%Y-%m-%d}",
        "last": f"{FIRST + timedelta(days=DAYS - 1):%Y-%m-%d}",
        "largest_whole_collection": 100_000,
    }
    api = odd
    become(api, **ORDINARY)
    api.clear()
    for raw in found_by(RULES["by_utc"], before):
        api.put(raw)
    load_days(api, endpoint, **options)
    assert table(endpoint) == _owned(before)

    become(api, **oddity)
    api.clear()
    for raw in found_by(rule, after):
        api.put(raw)
    # what dates do not find is found only by who does not trust dates
    options["largest_whole_collection"] = largest if rule is RULES["by_utc"] else 100_000
    result = load_days(api, endpoint, fails=None, page_size=page_size, **options)
    failed = {failed.window.key: str(failed.error) for failed in result.failed}
    assert all(failed.values())
    expected = {
        **{name: item for name, item in _owned(before).items() if _key(item) in failed},
        **{name: item for name, item in _owned(after).items() if _key(item) not in failed},
    }
    may_lack = {fetched.window.key for fetched in result.windows if fetched.incomplete}
    found = table(endpoint)
    lacking = {name for name, item in expected.items() if name not in found and _key(item) in may_lack}
    assert found == {name: item for name, item in expected.items() if name not in lacking}, failed
    if oddity["last_page"] is None:
        assert not failed and not may_lack


def _owned(items: list[dict[str, Any]]) -> Items:
    days = [f"{FIRST + timedelta(days=number):%Y-%m-%d}" for number in range(DAYS)]
    found = [item for item in items if owner_of(item) in days]
    return {(item["collection"], item["id"]): json.loads(json.dumps(item)) for item in found}


def _key(item: dict[str, Any]) -> str:
    return f"{item['collection']}|{owner_of(item)}"


def _at(hour: int, second: int) -> str:
    return (FIRST + timedelta(hours=hour, seconds=second)).isoformat() + "Z"
