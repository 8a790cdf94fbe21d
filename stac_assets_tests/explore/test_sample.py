"""Which days a sample has."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from stac_assets.explore.sample import MOST_DAYS, newest, sampled

COUNTS = st.lists(st.integers(1, 5_000), min_size=1, max_size=400)


def days(counts: list[int]) -> pd.DataFrame:
    names = pd.date_range("2024-01-01", periods=len(counts)).strftime("%Y-%m-%d")
    return pd.DataFrame({"day": names, "items": counts})


@given(COUNTS, st.integers(1, 20_000))
def test_a_sample_has_no_more_items_than_wanted_and_spans_all_days(counts: list[int], most: int) -> None:
    some = sampled("c1", days(counts), most)
    assert some.total == sum(counts)
    if some.days is None:
        assert some.items == sum(counts) <= most and some.words.startswith("All ")
        return
    of_days = dict(zip(days(counts)["day"], counts, strict=True))
    assert some.items == sum(of_days[day] for day in some.days) and len(some.days) <= MOST_DAYS
    assert some.items <= most or len(some.days) == 1
    assert some.days[0] == min(of_days)
    assert len(some.days) == 1 or some.days[-1] == max(of_days)
    assert some.condition.count("%s") == len(some.values) and some.values[0] == "c1|2024-01-01"


@given(COUNTS, st.integers(1, 100))
def test_the_newest_are_of_as_few_days_as_have_so_many(counts: list[int], least: int) -> None:
    some = newest("c1", days(counts), least)
    assert some.days is not None and some.days == list(days(counts)["day"])[-len(some.days) :]
    assert some.items >= min(least, sum(counts))
    assert len(some.days) == 1 or some.items - counts[-len(some.days)] < least


def test_a_sample_says_that_it_is_one() -> None:
    assert sampled("c1", days([10] * 365), 100).words == (
        "A sample: 100 of 3,650 items, of 10 days from the first to the last"
    )
