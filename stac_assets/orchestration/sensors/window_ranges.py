"""Partitions that are to be loaded, kept compactly: neighbouring windows are one range."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

import msgspec

from stac_assets.stac.watch.item_versions import digest
from stac_assets.stac.windows import Granularity


class Range(msgspec.Struct, frozen=True, array_like=True):
    """The windows that begin from `first` to `last`, both included, which hold changes.

    `label` is the newest of what was seen there, `serial` another one for every change (see `State`).
    """

    first: date
    last: date
    label: str
    serial: str

    @property
    def days(self) -> str:
        """The first days as text; one if it is one window."""
        return f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"


def windows_in(ranges: Iterable[Range], granularity: Granularity) -> Iterator[date]:
    """First day of each window."""
    for found in ranges:
        yield from granularity.starts(found.first, found.last)


def with_changes(
    ranges: Iterable[Range], changes: dict[date, str], serial: str, granularity: Granularity
) -> list[Range]:
    """The ranges, and windows that have changed (again)."""
    days: dict[date, tuple[str, str]] = {}
    for found in ranges:
        days |= dict.fromkeys(windows_in([found], granularity), (found.label, found.serial))
    for day, label in changes.items():
        days[day] = max(label, days[day][0] if day in days else ""), serial
    return joined((Range(day, day, *days[day]) for day in sorted(days)), granularity)


def joined(ranges: Iterable[Range], granularity: Granularity) -> list[Range]:
    """The same windows in as few ranges as can be; they come in order."""
    found: list[Range] = []
    for part in ranges:
        if not found or granularity.next(found[-1].last) != part.first:
            found.append(part)
            continue
        before = found.pop()
        serial = part.serial if part.serial == before.serial else digest(before.serial, part.serial)
        found.append(Range(before.first, part.last, max(before.label, part.label), serial))
    return found


def parted(
    ranges: Iterable[Range], is_apart: Callable[[date], bool], granularity: Granularity
) -> tuple[list[Range], list[Range]]:
    """The windows for which `is_apart` is false, and those for which it is true, as ranges."""
    rest: list[Range] = []
    apart: list[Range] = []
    for found in ranges:
        for day in windows_in([found], granularity):
            (apart if is_apart(day) else rest).append(Range(day, day, found.label, found.serial))
    return joined(rest, granularity), joined(apart, granularity)


def chunks(ranges: Iterable[Range], most: int, granularity: Granularity) -> Iterator[Range]:
    """The ranges in pieces of at most so many windows, the newest first."""
    for found in sorted(ranges, reverse=True, key=lambda found: found.first):
        days = list(windows_in([found], granularity))
        for start in reversed(range(0, len(days), most)):
            part = days[start : start + most]
            yield Range(part[0], part[-1], found.label, found.serial)


def count(ranges: Iterable[Range], granularity: Granularity) -> int:
    """How many windows."""
    return sum(1 for _ in windows_in(ranges, granularity))
