"""Any history of an API, loaded in any windows: the feed, replayed from its first row, is the table."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from stac_assets.stac.windows import Granularity
from stac_assets_tests.changes.replaying import feed, replayed, stored
from stac_assets_tests.loads import load_days, rows
from stac_assets_tests.stac_api import StacApi, make_item

pytestmark = pytest.mark.usefixtures("project")
FIRST, DAYS = date(2024, 1, 1), 70
FILTERS: list[dict[str, Any]] = [{}, {}, {"bbox": (0, -90, 180, 90)}, {"item_changes": False}]
Telling = Callable[[], tuple[set[tuple[str, str]], set[tuple[str, str]]]]


@pytest.mark.parametrize("seed", range(3))
def test_the_feed_is_the_table(api: StacApi, seed: int) -> None:
    any_history(api, seed, lambda: (replayed(feed()), stored(rows())))


def any_history(api: StacApi, seed: int, told: Telling, loads: int = 14) -> None:
    """Let items come, change, move and go between loads of some days, and compare after each."""
    random, names = Random(seed), list[str]()
    api.put(make_item("first", datetime=f"{FIRST}T00:00:00Z"))
    load_days(api, first=str(FIRST), **QUIET)
    for turn in range(loads):
        for number in range(random.randrange(6)):
            _happen(api, random, names, f"{turn}-{number}")
        granularity = random.choice(list(Granularity))
        first = FIRST + timedelta(days=random.randrange(DAYS))
        last = first + timedelta(days=random.choice([0, 1, 10, DAYS]))
        filters = random.choice(FILTERS)
        load_days(api, first=str(first), last=str(last), granularity=granularity, **filters)
        if "item_changes" not in filters:
            load_days(api, first=str(FIRST), last="2024-12-31", granularity=Granularity.YEARLY)
            replay, table = told()
            assert replay == table, f"after load {turn} of {granularity} {first} {last} {filters}"


QUIET: dict[str, Any] = {"granularity": Granularity.DAILY}


def _happen(api: StacApi, random: Random, names: list[str], name: str) -> None:
    day, west = FIRST + timedelta(days=random.randrange(DAYS)), random.choice([-10, 10])
    kind = random.choice(["new", "new", "moved", "changed", "gone"]) if names else "new"
    if kind == "gone":
        api.remove("c1", names.pop(random.randrange(len(names))))
        return
    chosen = name if kind == "new" else random.choice(names)
    if kind == "new":
        names.append(chosen)
    item = make_item(chosen, datetime=f"{day}T12:00:00Z", gsd=random.random())
    api.put({**item, "bbox": [west, 1, west + 1, 2]})
