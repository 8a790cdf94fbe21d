"""A catalog that is a formula: item number i of n, over so many days, rendered when it is asked for.

Nothing but a pool of templates is held, so that 200,000 items of 17 KB cost no memory. Every item
differs from every other in its id, times, geometry, numbers and hrefs.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from random import Random

from benchmarks.replay.templates import DIGITS, HEXES, KINDS, NUMBERS, POOL, Template, templates
from stac_assets.demo.scenes import stamp

FIRST_DAY = date(2024, 1, 1)
DAY = 86_400_000
"""Milliseconds of a day; times are counted in them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        return KINDS[self.kind][0]

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
            stamp(taken).encode(),
            stamp(later).encode(),
            *digits[d : d + DIGITS],
            *numbers[n : n + NUMBERS],
            *hexes[h : h + HEXES],
        )

    @cached_property
    def _templates(self) -> list[Template]:
        return templates(self.kind)

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
