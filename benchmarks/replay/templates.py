"""Templates: sample items of the demo, cut where one item of a catalog differs from the next.

An item is rendered by filling in values, which takes a few microseconds; to make it anew would take a
thousand times as long.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple

from stac_assets.demo.documents import Json
from stac_assets.demo.scenes import SENTINEL_1, SENTINEL_2, sentinel_1, sentinel_2, stamp

POOL = 500
"""Templates of a catalog."""
NAMES = ("key", "day", "time", "later")
"""Values that each item has once: day and number, day as a path, its time, and when it was published."""
DIGITS, NUMBERS, HEXES = 24, 40, 2
"""How many further ones a template may have: last digits of a fraction, sizes in bytes, checksums."""

_SLOTS = (
    *NAMES,
    *(f"{kind}{n}" for kind, most in (("d", DIGITS), ("n", NUMBERS), ("h", HEXES)) for n in range(most)),
)
_TAKEN, _NUMBER = datetime(2001, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC), 7_654_321
_VARYING = re.compile(
    rf"(?P<key>20010203_{_NUMBER})|(?P<day>2001/02/03)"
    rf"|(?P<time>{stamp(_TAKEN)})|(?P<later>2001-02-03T[\d:.]+Z)"
    r"|(?P<d>-?\b\d+\.\d{5,6}\b)|(?P<n>(?<=size\":)\d+)|(?P<h>[0-9a-f]{64})"
)


class Template(NamedTuple):
    """The text of an item, in pieces."""

    pieces: list[bytes]
    """Constant text at the even places, room for a value at the odd ones."""
    pick: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    """Of the values of an item, those for the odd places, in their order."""


def templates(kind: str) -> list[Template]:
    """All templates of a catalog of `large`, `small`, `tiny` or `plain` items."""
    return [_compiled(json.dumps(KINDS[kind][1](n), separators=(",", ":"))) for n in range(POOL)]


def _tiny(place: int) -> Json:
    """A radar scene with one asset and three properties."""
    item = sentinel_1(place, _TAKEN, _NUMBER)
    kept = {name: item["properties"][name] for name in ("datetime", "platform", "s1:noise_floor")}
    assets = {"vv": {name: item["assets"]["vv"][name] for name in ("href", "type")}}
    return {**item, "properties": kept, "assets": assets, "stac_extensions": []}


def _plain(place: int) -> Json:
    """A radar scene with one asset and nine properties that tell something."""
    item = _tiny(place)
    told = ("constellation", "sat:relative_orbit", "sar:pixel_spacing_range", "view:incidence_angle")
    told += ("s1:mean_backscatter", "s1:restituted", "s1:comment")
    properties = sentinel_1(place, _TAKEN, _NUMBER)["properties"]
    return {**item, "properties": {**item["properties"], **{name: properties[name] for name in told}}}


KINDS: dict[str, tuple[str, Callable[[int], Json]]] = {
    "large": (SENTINEL_2, lambda place: sentinel_2(place, _TAKEN, _NUMBER)),
    "small": (SENTINEL_1, lambda place: sentinel_1(place, _TAKEN, _NUMBER)),
    "tiny": (SENTINEL_1, _tiny),
    "plain": (SENTINEL_1, _plain),
}
"""Of each kind of item: its collection, and what makes one for a place."""


def _compiled(text: str) -> Template:
    """Equal texts get equal values, so that a bbox still fits its geometry."""
    pieces, places, end = [], [], 0
    seen: dict[str, dict[str, int]] = {"d": {}, "n": {}, "h": {}}
    for found in _VARYING.finditer(text):
        kind = str(found.lastgroup)
        start = found.start() if kind != "d" else text.index(".", found.start()) + 3
        pieces += [text[end:start].encode(), b""]
        name = kind if kind in NAMES else f"{kind}{seen[kind].setdefault(found[0], len(seen[kind]))}"
        places.append(_SLOTS.index(name))
        end = found.end()
    return Template([*pieces, text[end:].encode()], itemgetter(*places))
