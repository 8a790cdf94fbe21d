"""What an export has done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stac_assets.export.staged import Extent
from stac_assets.export.structure import Structure
from stac_assets.stac.windows import Window

NAMED = 5
"""Ids of items that are named; of more, only the count is said."""


@dataclass
class Exported:
    """What is there now of a collection.

    Args:
        files: those that were written.
        rows: the rows of each partition that was asked for, or of all in one file; none for an empty one.
        removed: files whose partitions are empty, or were written anew with others' days.
        outdated: older files that lack what these files have; the next export writes them again.
        structure: what the schema of the files follows from; None where nothing was written.
        extents: what the geometries of each file are.
        has_collection: whether the document of the collection is in the files.
    """

    files: dict[Window | None, str] = field(default_factory=dict)
    rows: dict[Window | None, int] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    structure: Structure | None = None
    extents: dict[Window | None, Extent] = field(default_factory=dict)
    has_collection: bool = False

    @property
    def items(self) -> int:
        """All rows that were written."""
        return sum(self.rows.values())

    def notes(self, of: Window | None = None) -> Mapping[str, str]:
        """What the format cannot say of the items, in words: of those of a partition, or of all."""
        extents = [each for window, each in self.extents.items() if of in (None, window)]
        without = [name for each in extents for name in each.without_geometry]
        found: dict[str, str] = {}
        if without:
            found["without_geometry"] = _named(without)
        if self.structure is None:
            return found
        if lost := self.structure.has_lost():
            found["properties_left_out"] = _named(lost)
        if texts := self.structure.as_text():
            found["properties_as_text"] = _named(texts)
        found["assets_as"] = self.structure.assets_as
        return found


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,}: {', '.join(names[:NAMED])}{more}"
