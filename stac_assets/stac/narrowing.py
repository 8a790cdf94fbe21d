"""The filters of a search, beside its collection and its time."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Narrowing:
    """The filters of a search beside its window, each as `pystac_client.ItemSearch` takes it."""

    bbox: tuple[float, ...] | None = None
    intersects: dict[str, Any] | None = None
    query: Any = None
    filter: Any = None

    def __bool__(self) -> bool:
        return any(part is not None for part in (self.bbox, self.intersects, self.query, self.filter))
