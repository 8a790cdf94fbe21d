"""UTC days, windows, and which day owns an instant."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import Granularity, Window, parse_day, parse_time, partition_key, windows

DAILY, WEEKLY, MONTHLY, YEARLY = Granularity


@pytest.mark.parametrize(
    ("granularity", "first", "last", "starts"),
    [
        (DAILY, "2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        (WEEKLY, "2024-01-03", "2024-01-08", ["2024-01-01", "2024-01-08"]),
        (MONTHLY, "2024-01-31", "2024-03-01", ["2024-01-01", "2024-02-01", "2024-03-01"]),
        (MONTHLY, "2023-12-31", "2023-12-31", ["2023-12-01"]),
        (YEARLY, "2023-12-31", "2024-01-01", ["2023-01-01", "2024-01-01"]),
        (DAILY, "2024-01-02", "2024-01-01", []),
    ],
)
def test_windows_are_whole_and_join_without_a_gap(
    granularity: Granularity, first: str, last: str, starts: list[str]
) -> None:
    found = windows("c", parse_day(first, "first"), parse_day(last, "last"), granularity)
    assert [str(window.start) for window in found] == starts
    assert [window.end for window in found[:-1]] == [window.start for window in found[1:]]
    for window in found:
        assert window.end == granularity.next(window.start)
        assert granularity.floor(window.start) == window.start


def test_a_window_asks_for_a_closed_interval_and_says_which_days_it_has() -> None:
    window = Window("c", date(2024, 2, 28), date(2024, 3, 1))
    assert str(window.interval) == "2024-02-28T00:00:00Z/2024-03-01T00:00:00Z"
    assert list(window.days()) == [date(2024, 2, 28), date(2024, 2, 29)]
    assert window.key == partition_key("c", window.start) == "c|2024-02-28"
    assert str(window) == "c, 2024-02-28 to 2024-02-29"
    assert str(Window("c", date(2024, 2, 28), date(2024, 2, 29))) == "c, 2024-02-28"


def test_early_years_have_four_digits() -> None:
    window = Window("c", date(2, 1, 1), date(2, 1, 2))
    assert str(window.interval) == "0002-01-01T00:00:00Z/0002-01-02T00:00:00Z"
    assert window.key == "c|0002-01-01"


@pytest.mark.parametrize(
    "text", ["2024-1-1", "2024-13-01", "01.02.2024", "2024-01-01T00:00:00Z", "", 20240101, None]
)
def test_a_malformed_day_is_named_with_what_is_expected(text: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"start_date is .*YYYY-MM-DD"):
        parse_day(text, "start_date")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00"),
        ("2024-01-01t10:00:00z", "2024-01-01T10:00:00"),
        ("2024-01-01 10:00:00", "2024-01-01T10:00:00"),
        ("2024-01-01T10:00:00", "2024-01-01T10:00:00"),
        ("2024-01-01T01:00:00+02:00", "2023-12-31T23:00:00"),
        ("2024-01-01T23:59:59.999999999Z", "2024-01-01T23:59:59.999999"),
        ("2024-01-01", "2024-01-01T00:00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.9Z", "9999-12-31T23:59:59.900000"),
    ],
)
def test_times_become_utc_microseconds(text: str, expected: str) -> None:
    assert parse_time(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "soon", "2024-02-30", "0001-01-01T00:00:00+01:00", None, 7, ["2024-01-01"]]
)
def test_what_is_no_time_is_none(text: Any) -> None:
    assert parse_time(text) is None
