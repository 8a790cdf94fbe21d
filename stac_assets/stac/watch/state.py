"""What a watcher knows of a collection between two polls."""

from datetime import date
from typing import Literal

import msgspec

from stac_assets.stac.watch.marks import Marks, Told
from stac_assets.stac.watch.position import Position
from stac_assets.stac.watch.updated_filter import UpdatedFilter

Strategy = Literal["updated", "counts", "probe", "empty"]
"""`empty`: the collection had no item yet that could show what the API can do."""


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a watcher knows of one collection between two polls. It is stored as JSON.

    The names in JSON are those of version 0.1.0, so that stored states stay valid.

    Args:
        strategy: how the collection is watched.
        serial: the last link of a chain of digests, one for each change, so that no two changes are mistaken
            for one. In JSON it is `turn`.
        updated_filter: for `updated`, the filter that the API has proven to honour. In JSON it is `language`.
        is_sorted: for `updated`, whether the API sorts.
        position: for `updated`, how far the changes are read.
        seen: for `counts` and `probe`, what each recent window showed.
        begin: for `counts` and `probe`, the window with which the next poll goes on.
        was_empty: whether the collection was empty when the watcher first polled it.
        counted: for `probe`, the counts of the recent windows where the API has ceased to count.
        marks: where the API counts, totals of the dates that the strategy does not see whole.
        told: for `updated`, what was found since these were compared.
    """

    strategy: Strategy
    serial: str = msgspec.field(name="turn")
    updated_filter: UpdatedFilter | None = msgspec.field(default=None, name="language")
    is_sorted: bool = False
    position: Position | None = None
    seen: dict[date, str] = {}
    begin: date | None = None
    was_empty: bool = False
    counted: dict[date, str] = {}
    marks: Marks | None = None
    told: dict[date, Told] = {}
