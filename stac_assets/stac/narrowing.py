"""What a search is narrowed by, beside its collection and its time."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Narrowing:
    """What narrows a search beside its window, in pystac-client's words."""

    bbox: tuple[float, ...] | None = None
    intersects: dict[str, Any] | None = None
    query: Any = None
    filter: Any = None

    def __bool__(self) -> bool:
        return any(part is not None for part in (self.bbox, self.intersects, self.query, self.filter))
