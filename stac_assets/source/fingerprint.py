"""Fingerprints: by them a load knows, without reading a document, that a row is stored as it would store it.

A fingerprint has three parts with colons between them: how the row was made, by which filters it was found,
and a digest of the item's members as the API sent them. Where the digests differ, the items may still be
equal as JSON: spaces and the order of members are no difference. The first part ends with a plus sign where
the feed of changes tells of the row.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import xxhash
from msgspec.json import encode

from stac_assets.settings import Settings

MADE = "1"
"""How rows are made of items. Another number makes the next loads store all rows anew."""
TOLD = "+:"
"""What stands between the first two parts of a row of which the feed tells."""
DIGEST_LENGTH = 32


class Parts(NamedTuple):
    """The first two parts of a fingerprint."""

    made: str
    scope: str


def parts_of(fingerprint: str) -> Parts:
    """The first two parts of a fingerprint, or of what stands before its digest."""
    made, _, rest = fingerprint.partition(":")
    return Parts(made, rest.partition(":")[0])


def digest_of(item: Mapping[str, Any]) -> str:
    """The digest of a document, whatever the order of its members: 32 hexadecimal digits (XXH3, 128 bits).

    Args:
        item: the JSON text of each member, as bytes.
    """
    found = xxhash.xxh3_128()
    for name in sorted(item):
        found.update(name.encode("utf-8", "surrogatepass"))
        found.update(b"\x00")
        found.update(bytes(item[name]))
        found.update(b"\x00")
    return found.hexdigest()


def prefix_of(settings: Settings, has_geometries: bool, tells: bool) -> str:
    """The first two parts of the fingerprints of a load.

    Args:
        settings: by which the items are found, and their rows made.
        has_geometries: whether the rows have the column `geom`.
        tells: whether the load tells of its changes.
    """
    made = _short(MADE, settings.promote_properties, has_geometries)
    return f"{made}{TOLD if tells else ':'}{scope_of(settings)}:"


def scope_of(settings: Settings) -> str:
    """The part that tells the filters; empty where there are none."""
    given = settings.recorded_filter
    if given is None and settings.max_items is None:
        return ""
    return _short(None if given is None else _with_whole_numbers(given), settings.max_items)


def _with_whole_numbers(filters: str) -> str:
    """Filters as JSON text, in which `180.0` is `180`, so that it does not count where they were given."""
    return json.dumps(json.loads(filters, parse_float=_whole), sort_keys=True)


def _whole(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _short(*values: Any) -> str:
    return xxhash.xxh3_64_hexdigest(encode(values, order="deterministic"))[:8]
