"""Documents that share an id and a day: one of them is the row, the others are rejected."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from stac_assets.source.changes.documents import without_signatures
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.source.rows import JSON_MEMBERS, TEXT_MEMBERS, item_from_row
from stac_assets.source.spool import Spool
from stac_assets.stac.documents import Rejected, object_text

COMPARED = ("stac_version", "geometry", "properties", "assets", "stac_extensions", "bbox", "extra")
"""The columns that make a document; links are not among them, as an API may write them anew each time."""
EARLIEST = datetime.min.replace(tzinfo=UTC)

_QUERY = re.compile(rb'("href"\s*:\s*"(?:[^"?\\]|\\.)*)\?(?:[^"\\]|\\.)*')
"""The query of an asset's href, in which a signature may stand that is another one in each answer."""
_decode_raws = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_parts = msgspec.json.Decoder(tuple[msgspec.Raw, list[str]]).decode


@dataclass(frozen=True)
class Known:
    """A document that has come: the digest of its text, and its canonical JSON where that was needed."""

    digest: bytes
    canonical: str | None = None


class Namesakes:
    """Tells the documents of one id and day apart.

    The rows of a window are looked at only once an id has come again, which mostly repeats a document. So
    they are compared by digest.
    """

    def __init__(self) -> None:
        self._known: dict[Spool, dict[tuple[str, str], list[Known]]] = {}

    def note(self, spool: Spool, row: Mapping[str, Any]) -> None:
        """Note a row that has been added, if the rows of its spool have been looked at."""
        if spool in self._known:
            self._known[spool][_key(row)] = [Known(_digest(row))]

    def has(self, spool: Spool, row: Mapping[str, Any]) -> bool:
        """Whether the spool has a row of the same id and day."""
        if spool not in self._known:
            self._known[spool] = {_key(stored): [Known(_digest(stored))] for stored in spool.rows()}
        return _key(row) in self._known[spool]

    def settle(
        self, spool: Spool, row: dict[str, Any], properties: Mapping[str, Any], size: int
    ) -> Rejected | None:
        """Keep the newer of two documents as the row, or on a tie the one with the greater canonical JSON.

        Args:
            spool: has a row of the same id and day.
            row: the other document, as a row.
            properties: its properties.
            size: its length in bytes.

        Returns:
            The document that is not the row; None where the document has come before.
        """
        known = self._known[spool][_key(row)]
        digest = _digest(row)
        if any(digest == each.digest for each in known):
            return None
        stored = spool.find(*_key(row))
        assert stored is not None, "it is known"
        text, stored_text = _canonical(row), _canonical(stored)
        if text in (stored_text, *(each.canonical for each in known)):
            known.append(Known(digest, text))
            return None
        if (row["updated"] or EARLIEST, text) < (stored["updated"] or EARLIEST, stored_text):
            known.append(Known(digest, text))
            return Rejected(_document(row), _reason(row))
        known.append(Known(_digest(stored), stored_text))
        known[0] = Known(digest, text)
        spool.remove(*_key(row))
        spool.add(row, properties, size)
        return Rejected(_document(stored), _reason(row))


def _reason(row: Mapping[str, Any]) -> str:
    return f"another document of the id {row['id']!r} and the same day is the row: it is newer, or greater"


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["id"], row[PARTITION_KEY]


def _digest(row: Mapping[str, Any]) -> bytes:
    found = hashlib.blake2b(digest_size=16)
    for name in COMPARED:
        text = _bytes(row[name])
        if name == "assets":
            text = _QUERY.sub(rb"\1", text)
        found.update(b"%d\n" % len(text))
        found.update(text)
    return found.digest()


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _canonical(row: Mapping[str, Any]) -> str:
    """The document as JSON with sorted keys and no white space, without its links and signatures."""
    return json.dumps(without_signatures(item_from_row(row)), sort_keys=True, separators=(",", ":"))


def _document(row: Mapping[str, Any]) -> str:
    """The document that a row was made from, with the text of its members."""
    extra, absent = _bytes(row["extra"]) or b"{}", []
    if extra.startswith(b"["):
        extra, absent = _decode_parts(extra)
    members: dict[str, msgspec.Raw | bytes] = {
        name: msgspec.json.encode(row[name])
        for name in TEXT_MEMBERS
        if row[name] is not None and name not in absent
    }
    members |= {name: _bytes(row[name]) for name in JSON_MEMBERS if row[name] is not None}
    return object_text({**members, **_decode_raws(extra)}).decode("utf-8", "replace")
