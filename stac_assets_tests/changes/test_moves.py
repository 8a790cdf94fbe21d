"""The documented query of items that move from one day to another."""

import pytest

from stac_assets_tests.changes.test_feed import JAN_1, JAN_2, JAN_3, put
from stac_assets_tests.loads import load_days, query
from stac_assets_tests.pages import block
from stac_assets_tests.stac_api import StacApi

pytestmark = pytest.mark.usefixtures("project")


def moves() -> list[tuple[str, str, str]]:
    """Item, day before and day after of each move, as the query finds them."""
    found = query(block("docs/changes.md", "sql changes", "SELECT gone"))
    return sorted((row["id"], row["from_day"][-10:], row["to_day"][-10:]) for row in found)


def test_an_item_that_came_moved_and_went_moved_once(api: StacApi) -> None:
    put(api, "a")
    load_days(api, last=JAN_3)
    put(api, "a", JAN_2)
    load_days(api, last=JAN_3)
    assert moves() == [("a", JAN_1, JAN_2)]
    api.remove("c1", "a")
    load_days(api, last=JAN_3)
    assert moves() == [("a", JAN_1, JAN_2)]


def test_the_day_to_which_it_moves_may_be_loaded_first(api: StacApi) -> None:
    put(api, "a")
    load_days(api, last=JAN_3)
    put(api, "a", JAN_2)
    load_days(api, first=JAN_2)
    assert moves() == []
    load_days(api, first=JAN_1)
    assert moves() == [("a", JAN_1, JAN_2)]
