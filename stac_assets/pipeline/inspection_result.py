"""The counts of a table after a load, which checks judge and materializations show."""

from dataclasses import dataclass, field
from typing import Any

LACKING = {
    "stac_version": "stac_version IS NULL",
    "geometry or bbox": "geometry IS NOT NULL AND bbox IS NULL",
    "properties": "properties IS NULL",
    "datetime": "datetime IS NULL AND (start_datetime IS NULL OR end_datetime IS NULL)",
    "links": "links IS NULL",
    "assets": "assets IS NULL",
}
"""Members that the STAC item specification 1.0 requires, and when a row lacks one."""
ODD_BOXES = {
    "south above north": "bbox_ymin > bbox_ymax",
    "latitude outside -90..90": "bbox_ymin < -90 OR bbox_ymax > 90",
    "longitude outside -180..180": (
        "bbox_xmin < -180 OR bbox_xmin > 180 OR bbox_xmax < -180 OR bbox_xmax > 180"
    ),
    "not 4 or 6 numbers": "bbox IS NOT NULL AND bbox_xmin IS NULL",
}
"""What a box must not be (GeoJSON, RFC 7946 section 5); a west edge east of the east edge crosses 180°."""

Row = dict[str, Any]


@dataclass
class PartitionRows:
    """The rows of one partition as the destination counts them."""

    rows: int = 0
    ids: int = 0
    outside: int = 0
    """Rows whose own time or collection belongs to another partition."""
    lacking: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LACKING, 0))
    odd_boxes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ODD_BOXES, 0))
    strays: list[tuple[str, str]] = field(default_factory=list)
    """Some of the items that have a row in another day too: the id, and the key of the other day."""
    stray_counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many such items there are, by the keys of the day here and of the other day."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Documents of `rejected_items`, by reason."""
    sample: list[Row] = field(default_factory=list)
    """Some rows, of the columns that are no JSON."""


@dataclass
class TableColumns:
    """The columns that the contract promises, those that are there, and those new with this load."""

    promised: dict[str, str]
    found: dict[str, str]
    new: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Promised columns that the destination lacks."""
        return sorted(set(self.promised) - set(self.found))

    @property
    def changed(self) -> list[str]:
        """Promised columns that the destination has with another type."""
        return sorted(n for n, kind in self.promised.items() if self.found.get(n, kind) != kind)


@dataclass
class Inspection:
    """What was found: of the whole table, and of each partition by its Dagster key (None without any)."""

    columns: TableColumns | None = None
    partitions: dict[str | None, PartitionRows] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()
    """For `collections`: the ids of the table."""
