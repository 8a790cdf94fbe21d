"""The filters of a search, beside its collection and its time."""

from dataclasses import dataclass, replace
from typing import Any

from stac_assets.stac.boxes import around, parts


@dataclass(frozen=True)
class Narrowing:
    """The filters of a search beside its window, each as `pystac_client.ItemSearch` takes it."""

    bbox: tuple[float, ...] | None = None
    intersects: dict[str, Any] | None = None
    query: Any = None
    filter: Any = None

    def __bool__(self) -> bool:
        return any(part is not None for part in (self.bbox, self.intersects, self.query, self.filter))

    @property
    def parts(self) -> "tuple[Narrowing, ...]":
        """The same, or two that together find the same, where the box crosses the antimeridian."""
        if self.bbox is None:
            return (self,)
        found = parts(self.bbox)
        return (self,) if len(found) == 1 else tuple(replace(self, bbox=box) for box in found)

    @property
    def around(self) -> "Narrowing":
        """Filters that find all of it in one question, and more where the box crosses the antimeridian."""
        return self if self.bbox is None else replace(self, bbox=around(self.bbox))
