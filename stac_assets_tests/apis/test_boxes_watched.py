"""Changes in a box that crosses the antimeridian, as a sensor sees them: both of its parts are looked at."""

from collections.abc import Iterator
from typing import Any

import pytest

from stac_assets.settings import Settings
from stac_assets_tests.apis.test_boxes import FIJI, INSIDE, OUTSIDE, Misreading
from stac_assets_tests.stac_api import make_item
from stac_assets_tests.watching import Watch, at

SIDES = {
    "west": INSIDE["west"],
    "east": INSIDE["east"],
    "across": INSIDE["across"],
    "away": OUTSIDE["africa"],
}


@pytest.fixture
def fiji() -> Iterator[Misreading]:
    """An API that filters and sorts, and refuses a box across the antimeridian, with an item on each side."""
    with Misreading(extensions=("filter", "sortby")) as api:
        for side in SIDES:
            put(api, f"old {side}", side, "2024-05-01", 0)
        yield api


def put(api: Misreading, name: str, side: str, day: str, minutes: float) -> None:
    """Add an item of a day on one side of the antimeridian, or change it."""
    time, extra = f"{day}T10:00:00Z", {"bbox": SIDES[side]}
    api.put(make_item(name, datetime=time, updated=at(minutes), extra=extra))


def watch_of(api: Misreading, **more: Any) -> Watch:
    return Watch(api, narrowing=Settings(bbox=tuple(FIJI)).narrowing, **more)


def test_changes_of_both_parts_are_seen_by_updated(fiji: Misreading) -> None:
    watch = watch_of(fiji)
    assert "`updated`" in watch().summary
    put(fiji, "new west", "west", "2024-06-01", 1)
    put(fiji, "new east", "east", "2024-06-02", 2)
    put(fiji, "old across", "across", "2024-05-01", 3)
    put(fiji, "new away", "away", "2024-06-03", 4)
    assert watch.days() == ["2024-05-01", "2024-06-01", "2024-06-02"]
    assert watch.days() == []


@pytest.mark.parametrize("sorts", [True, False])
def test_more_changes_than_a_page_shows_are_all_seen(fiji: Misreading, sorts: bool) -> None:
    """One part changes much and early, the other little and late, so that their pages end far apart."""
    if not sorts:
        fiji.extensions = ("filter",)
    watch = watch_of(fiji, page_size=10)
    assert "`updated`" in watch().summary
    days = [f"2024-{month:02}-{day:02}" for month in (2, 3) for day in range(1, 25)]
    for number, day in enumerate(days):
        put(fiji, f"west {number}", "west", day, 1 + number)
        if number % 3 == 0:
            put(fiji, f"east {number}", "east", f"2024-04-{1 + number // 3:02}", 100 + number)
    found, _ = watch.until_done()
    seen = {day for days_of_look in found for day in days_of_look}
    assert seen == {*days, *(f"2024-04-{1 + number // 3:02}" for number in range(0, len(days), 3))}
    assert watch.days() == []


@pytest.mark.parametrize("number_matched", ["numberMatched", None])
def test_changes_of_both_parts_are_seen_by_comparison(number_matched: Any) -> None:
    with Misreading(number_matched=number_matched) as api:
        put(api, "old", "west", "2024-06-12", 0)
        watch = watch_of(api)
        assert ("`counts`" if number_matched else "`probe`") in watch().summary
        put(api, "new west", "west", "2024-06-13", 1)
        put(api, "new east", "east", "2024-06-14", 2)
        put(api, "new away", "away", "2024-06-15", 3)
        assert watch.days() == ["2024-06-13", "2024-06-14"]
        api.remove("c1", "new east")
        assert watch.days() == ["2024-06-14"]
