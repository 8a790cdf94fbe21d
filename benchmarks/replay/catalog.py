"""A catalog that is a formula: item number i of n, over so many days, rendered when it is asked for.

Nothing but a pool of templates is held, so that 200,000 items of 17 KB cost no memory. Every item differs
from every other in its id, times, geometry, numbers and hrefs.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from operator import itemgetter
from random import Random
from typing import NamedTuple

from benchmarks.replay.documents import DIGITS, HEXES, KINDS, NUMBERS

POOL = 500
"""Templates of a catalog."""
FIRST_DAY = date(2024, 1, 1)
DAY = 86_400_000
"""Milliseconds of a day; times are counted in them."""

_NAMES = ["key", "day", "time", "later"]
_SLOTS = (
    _NAMES
    + [f"d{n}" for n in range(DIGITS)]
    + [f"n{n}" for n in range(NUMBERS)]
    + [f"h{n}" for n in range(HEXES)]
)
_MARK = re.compile("@(" + "|".join(_SLOTS) + ")@")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Template(NamedTuple):
    pieces: list[bytes]
    """Constant text at the even places, room for a value at the odd ones."""
    pick: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    """Of the values of an item, those for the odd places, in their order."""


@dataclass(frozen=True)
class Catalog:
    """One collection.

    Args:
        kind: `large` (17 KB), `small` (3 KB) or `tiny` (1.2 KB).
        items: how many.
        days: over how many days they are spread evenly; the first of each day lies on its very midnight, and
            so within two closed windows.
    """

    kind: str
    items: int
    days: int

    @property
    def collection(self) -> str:
        """Its id."""
        return f"bench-{self.kind}"

    @property
    def last_day(self) -> date:
        """The last day that has items."""
        return FIRST_DAY + timedelta(days=self.days - 1)

    def time(self, number: int) -> int:
        """When item `number` was taken, in milliseconds since 1970; later items have later times."""
        day = number * self.days // self.items
        first = -(-day * self.items // self.days)
        count = -(-(day + 1) * self.items // self.days) - first
        return _milliseconds(FIRST_DAY) + day * DAY + DAY * (number - first) // count

    def between(self, start: int | None, end: int | None) -> range:
        """Numbers of the items of a closed interval; None stands for an open end."""
        numbers = range(self.items)
        first = 0 if start is None else bisect_left(numbers, start, key=self.time)
        return range(first, self.items if end is None else bisect_right(numbers, end, key=self.time))

    def rendered(self, numbers: range) -> list[bytes]:
        """The text of some items in pieces, with a comma between one item and the next."""
        out: list[bytes] = []
        for number in numbers:
            template = self._templates[number * 7919 % POOL]
            pieces = template.pieces.copy()
            pieces[1::2] = template.pick(self._values(number))
            out += pieces
            out.append(b",")
        return out[:-1]

    def json_bytes(self) -> int:
        """Length of the text of all items."""
        return sum(len(piece) for n in range(self.items) for piece in self.rendered(range(n, n + 1)))

    def _values(self, number: int) -> tuple[bytes, ...]:
        taken = _EPOCH + timedelta(milliseconds=self.time(number))
        later = taken + timedelta(seconds=20_000 + number * 7 % 9_973)
        digits, numbers, hexes = self._tokens
        d, n, h = number * 31 % _TOKENS, number * 53 % _TOKENS, number * 5 % _TOKENS
        return (
            f"{taken:%Y%m%d}_{number:07}".encode(),
            f"{taken:%Y/%m/%d}".encode(),
            _stamp(taken),
            _stamp(later),
            *digits[d : d + DIGITS],
            *numbers[n : n + NUMBERS],
            *hexes[h : h + HEXES],
        )

    @cached_property
    def _templates(self) -> list[_Template]:
        make = KINDS[self.kind]
        return [
            _compiled(json.dumps(make(Random(n), self.collection), separators=(",", ":")))
            for n in range(POOL)
        ]

    @cached_property
    def _tokens(self) -> tuple[list[bytes], list[bytes], list[bytes]]:
        rng = Random("tokens")
        digits = [b"%04d" % rng.randrange(10_000) for _ in range(_TOKENS + DIGITS)]
        numbers = [b"%d" % rng.randrange(1_000_000, 99_999_999) for _ in range(_TOKENS + NUMBERS)]
        return digits, numbers, [b"%064x" % rng.getrandbits(256) for _ in range(_TOKENS + HEXES)]


_TOKENS = 99_991
"""Different values of a mark; a prime, so that steps of any width visit all of them."""


def milliseconds(text: str) -> int:
    """An RFC 3339 time as milliseconds since 1970."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)


def _milliseconds(day: date) -> int:
    return (day - _EPOCH.date()).days * DAY


def _stamp(time: datetime) -> bytes:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z".encode()


def _compiled(text: str) -> _Template:
    parts = _MARK.split(text.replace('"~', "").replace('~"', ""))
    return _Template([part.encode() for part in parts], itemgetter(*map(_SLOTS.index, parts[1::2])))
