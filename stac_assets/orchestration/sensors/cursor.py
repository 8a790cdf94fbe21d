"""The cursor of `new_items_sensor`: what was seen of each collection, and what is still to be requested."""

from typing import Any

import msgspec

from stac_assets.orchestration.sensors.window_ranges import Range, count
from stac_assets.settings import Settings
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.watch.item_versions import digest
from stac_assets.stac.watch.state import State
from stac_assets.stac.wording import counted

VERSION = 1


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One collection: what was seen, and the ranges of partitions that are still to be requested."""

    state: State
    queued: list[Range] = msgspec.field(default_factory=list, name="pending")  # the name in stored cursors


class Scope(msgspec.Struct, frozen=True):
    """What the states are true of."""

    base_url: str
    granularity: str
    filters: str


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """JSON text between two ticks. `next` is the collection to begin with."""

    version: int
    scope: Scope
    collections: dict[str, Entry] = {}
    next: str = ""

    def text(self) -> str:
        """The cursor as text."""
        return msgspec.json.encode(self).decode()


def watched(settings: Settings) -> Narrowing:
    """The filters that every one of the item assets has: `/collections/{id}/items` takes a bbox only."""
    taken = frozenset.intersection(*(ENDPOINTS[name].narrowed_by for name in settings.item_assets))
    given: dict[str, Any] = vars(settings.narrowing)
    return Narrowing(**{name: value for name, value in given.items() if name in taken})


def read_cursor(text: str | None, settings: Settings) -> tuple[Cursor, str | None]:
    """The cursor that a tick begins with, and why it is an empty one, if it is."""
    narrowing = watched(settings)
    filters = msgspec.json.encode(vars(narrowing), order="deterministic").decode()
    scope = Scope(settings.base_url, str(settings.granularity), digest(filters) if narrowing else "")
    empty = Cursor(VERSION, scope)
    if not text:
        return empty, "there is no cursor yet"
    try:
        cursor = msgspec.json.decode(text, type=Cursor)
    except (msgspec.MsgspecError, UnicodeError) as error:
        return empty, f"the cursor cannot be read ({error})"
    if cursor.version != VERSION:
        return empty, f"the cursor has version {cursor.version}, and not {VERSION}"
    other = [name for name in scope.__struct_fields__ if getattr(cursor.scope, name) != getattr(scope, name)]
    if other:
        lost = sum(count(entry.queued, settings.granularity) for entry in cursor.collections.values())
        were = "partition that was to be loaded is", "partitions that were to be loaded are"
        dropped = f"; {counted(lost, *were)} not any more, run a backfill"
        return empty, f"the settings have another {' and '.join(other)}{dropped if lost else ''}"
    return cursor, None
