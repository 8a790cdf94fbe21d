"""By which of its times an API finds an item that is asked for by date."""

import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from stac_assets_tests.stac_api import RawItem

Times = tuple[dt.datetime | None, dt.datetime | None]
Rule = Callable[[dict[str, Any]], Times]


def _time(text: str | None) -> dt.datetime | None:
    time = None if text is None else dt.datetime.fromisoformat(text)
    return time.replace(tzinfo=dt.UTC) if time and time.tzinfo is None else time


def by_interval(properties: dict[str, Any]) -> Times:
    """By start and end, and where they are missing by `datetime`, as pgstac does."""
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    nominal = properties.get("datetime")
    return _time(start or nominal), _time(end or nominal)


def by_datetime(properties: dict[str, Any]) -> Times:
    """By `datetime` alone, so that no date finds an item without one, as of some search engines."""
    nominal = _time(properties.get("datetime"))
    return nominal, nominal


def by_end(properties: dict[str, Any]) -> Times:
    """By the end of an interval alone."""
    end = _time(properties.get("end_datetime") or properties.get("datetime"))
    return end, end


def by_local_time(properties: dict[str, Any]) -> Times:
    """By the text of `datetime`, or of the interval, whatever zone it names."""
    nominal = properties.get("datetime")
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    texts = (nominal, nominal) if nominal else (start, end)
    naive = [text and dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) for text in texts]
    return naive[0], naive[1]


def by_utc(properties: dict[str, Any]) -> Times:
    """By `datetime`, or else by the interval, as an API should."""
    return by_datetime(properties) if properties.get("datetime") else by_interval(properties)


RULES: dict[str, Rule] = {
    rule.__name__: rule for rule in (by_interval, by_datetime, by_end, by_local_time, by_utc)
}


def found_by(rule: Rule, items: Iterable[dict[str, Any]]) -> list[RawItem]:
    """The items as an API has them that finds them by a rule."""
    found: list[RawItem] = []
    for item in items:
        start, end = rule(item["properties"])
        found.append(replace(RawItem.of(item), text=json.dumps(item).encode(), start=start, end=end))
    return found


def owner_of(item: dict[str, Any]) -> str:
    """The day that owns an item, as YYYY-MM-DD."""
    properties = item["properties"]
    time = _time(properties.get("datetime") or properties.get("start_datetime"))
    assert time is not None
    return time.astimezone(dt.UTC).date().isoformat()
