"""What an endpoint of a STAC API is: everything that the other floors ask about one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # an endpoint is declared without the client that asks it
    # and without what decodes its answers, so that the command's help is there at once
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.documents import Page
    from stac_assets.stac.errors import StacError
    from stac_assets.stac.figures import Figures
    from stac_assets.stac.http.page_request import PageRequest
    from stac_assets.stac.narrowing import Narrowing
    from stac_assets.stac.survey import Surveyor
    from stac_assets.stac.windows import Asked

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
"""Link relation of queryables (OGC API - Features, part 3)."""

Row = dict[str, Any]
"""Values by column: text, numbers, times, and JSON as `bytes`."""

DataType = Literal["text", "json", "double", "bigint", "bool", "timestamp"]
"""Types that every destination has; times are UTC and exact to the microsecond."""


class Replaces(StrEnum):
    """The unit of a table that a load replaces."""

    TABLE = "table"
    COLLECTION = "collection"
    DAY = "day"
    ITEM = "item"


@dataclass(frozen=True)
class Column:
    """A column that an endpoint's table always has."""

    data_type: DataType
    description: str
    is_nullable: bool = True


@dataclass(frozen=True)
class Refused:
    """One of several documents that an endpoint reads, which is not to be had.

    Args:
        name: the collection whose document it is, or what else people call it by.
        error: what the API answered.
    """

    name: str
    error: "StacError"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint, which is one dlt resource, one table and one asset.

    Args:
        name: of all these.
        path: as people read it, such as `GET /collections`.
        relations: link relations of the landing page without which the endpoint cannot be asked; where it
            begins is behind the first of them, or for none at the landing page itself.
        columns: of its table, by name; an item table gets more as items bring properties.
        description: what a row is and when to use the endpoint, in Markdown.
        upstream: the endpoint whose answer is needed to ask this one.
        partitioned_by: `collection` and `date`, or the first, or nothing.
        replaces: the unit that a load replaces.
        narrowed_by: which filters of a search the endpoint takes; only of endpoints that list items.
        lists_collections: whether its rows say which collections there are.
        rows: reads the table of an endpoint that has no items; gets the collections that are asked for, none
            for all. In the place of a document that is refused while others are read stands that.
        joins_collections: whether one request may ask for the items of several collections.
        pages: reads the items of a window, or of the span of several; only of endpoints that list items.
        first_page: reads the first page of a window, of so many items, with so many retries; likewise.
        outline: reads the ids and times of the items of a window, on pages of so many items; only of
            endpoints that also find items by their ids, and then for APIs that have the Fields extension.
        by_id: reads the items of some collections that have some ids; likewise.
        first_requests: the first request for a window, and one for the same that a link can be; likewise.
        probe: asks the endpoint once for a survey, and says in a few words what came.
    """

    name: str
    path: str
    description: str
    columns: Mapping[str, Column]
    probe: "Callable[[Surveyor], str]"
    relations: tuple[str, ...] = ()
    upstream: str | None = None
    partitioned_by: tuple[str, ...] = ()
    replaces: Replaces = Replaces.TABLE
    narrowed_by: frozenset[str] = frozenset()
    lists_collections: bool = False
    rows: "Callable[[StacApi, Sequence[str]], Iterator[Row | Refused]] | None" = None
    joins_collections: bool = False
    pages: "Callable[[StacApi, Asked, Narrowing, Figures], Iterator[Page]] | None" = None
    first_page: "Callable[[StacApi, Asked, Narrowing, int, int | None], Page] | None" = None
    outline: "Callable[[StacApi, Asked, Narrowing, Figures, int | None], Iterator[Page]] | None" = None
    by_id: "Callable[[StacApi, Sequence[str], Sequence[str], Figures], Iterator[Page]] | None" = None
    first_requests: "Callable[[StacApi, Asked, Narrowing], tuple[PageRequest, PageRequest]] | None" = None

    @property
    def has_items(self) -> bool:
        """Whether a row is an item."""
        return "date" in self.partitioned_by

    @property
    def is_partitioned(self) -> bool:
        """Whether a load replaces only a part of the table."""
        return bool(self.partitioned_by)

    @property
    def looks_up_items(self) -> bool:
        """Whether it is asked for one item at a time, by the item's id."""
        return self.replaces is Replaces.ITEM

    @property
    def needs_collections(self) -> bool:
        """Whether it cannot be asked where the API does not list its collections."""
        return "data" in self.relations

    @property
    def relation(self) -> str | None:
        """The link relation behind which it begins; None for the landing page."""
        return self.relations[0] if self.relations else None


def columns(**described: tuple[str, str]) -> dict[str, Column]:
    """Columns as `name=("type", "description")`; a type that ends in `!` is never null."""
    return {
        name: Column(
            data_type.rstrip("!"),  # type: ignore[arg-type]
            description,
            is_nullable=not data_type.endswith("!"),
        )
        for name, (data_type, description) in described.items()
    }


BOX_COLUMNS = {
    "bbox_xmin": ("double", "West edge of the box, degrees (WGS 84); above bbox_xmax at the antimeridian"),
    "bbox_ymin": ("double", "South edge of the bounding box, degrees"),
    "bbox_xmax": ("double", "East edge of the bounding box, degrees"),
    "bbox_ymax": ("double", "North edge of the bounding box, degrees"),
}
