"""The items of a load's windows, where they are few of many that dates do not find: only they are asked for.

An outline of the collections, the id and the times of each item, tells which of them the windows own. They
are asked for by their ids.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.question import Asking
from stac_assets.source.undated_reading import PagingProof, UndatedReading
from stac_assets.stac.documents import Item, Page, text_in
from stac_assets.stac.errors import Cancelled, ConfigurationError, EndpointMissing, StacError
from stac_assets.stac.item_times import ItemTimes
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.undated import Undated
from stac_assets.stac.wording import counted

FEW_OF = 4
"""An outline pays where at most one of so many items belongs to the windows."""
IDS_IN_A_URL = 20
MOST_TIMELESS = 100
"""The items whose times an outline does not tell, which are read to see; of more it says too little."""

Name = tuple[str, str]
"""Collection and id of an item."""


class NoOutline(Exception):
    """An outline does not do for this API; the documents themselves have to be read."""


class OutlineReading(UndatedReading):
    """Reads an outline, and then the documents that the windows own; arguments as of `UndatedReading`."""

    is_outline = True

    def __init__(
        self, asking: Asking, asked: Undated, windows: Sequence[FetchedWindow], proof: PagingProof
    ) -> None:
        super().__init__(asking, asked, windows, proof)
        self._timeless = 0

    def pages(self) -> Iterator[Page]:
        """An empty page for each page of the outline, and then those of the documents.

        Raises:
            NoOutline: the API cannot be asked in this way.
        """
        wanted = Counter[Name]()
        try:
            for page in self._proven(self._outline(None), self._asking.narrowing):
                wanted.update(self._owned(page))
                yield Page([], [], number_matched=page.number_matched)
            yield from self._documents(wanted)
        except (Cancelled, ConfigurationError, EndpointMissing):
            raise
        except StacError as error:
            raise NoOutline(str(error)) from error

    def _owned(self, page: Page) -> Iterator[Name]:
        """The items of a page of the outline that the windows own, and those whose times it does not tell.

        Raises:
            NoOutline: an item is not named, or many tell no time.
        """
        if page.rejected:
            raise NoOutline(f"{self.asked}: a document of the outline cannot be read")
        for item in [*page.items, *page.repeats]:
            name = self._name(item)
            times = ItemTimes.of_item(item)
            if times is None or times.owner is None:
                self._timeless += 1
                if self._timeless > MOST_TIMELESS:
                    raise NoOutline(f"{self.asked}: an outline tells no times")
                yield name
            elif self.is_owned(name[0], times.owner):
                yield name

    def _name(self, item: Item) -> Name:
        item_id, collection = text_in(item.get("id")), text_in(item.get("collection"))
        if collection is None and len(self.asked.collections) == 1:
            [collection] = self.asked.collections
        if not item_id or not collection:
            raise NoOutline(f"{self.asked}: an item of the outline has no id, or no collection")
        return collection, item_id

    def _documents(self, wanted: Counter[Name]) -> Iterator[Page]:
        """The documents of these items, of each as many as the outline has.

        Raises:
            NoOutline: an item does not come, because it was deleted meanwhile or ids are not gone by.
            StacError: the API failed.
        """
        endpoint, api = self._asking.endpoint, self._asking.api
        assert endpoint.by_id is not None
        at_once = api.page_size if api.search_method == "POST" else IDS_IN_A_URL
        names = sorted(wanted)
        for begin in range(0, len(names), at_once):
            some = Counter({name: wanted[name] for name in names[begin : begin + at_once]})
            collections = list(dict.fromkeys(collection for collection, _ in some))
            ids = list(dict.fromkeys(item_id for _, item_id in some))
            for page in endpoint.by_id(api, collections, ids, self._figures):
                yield Page(list(self._among(some, page.items)), page.links, page.rejected)
                if max(some.values()) <= 0:
                    break  # what follows has the same ids in other collections
            missing = sum(some[name] == wanted[name] for name in some)
            if missing:
                raise NoOutline(f"{self.asked}: a search by id does not find {counted(missing, 'item')}")

    def _among(self, some: Counter[Name], items: Iterable[Item]) -> Iterator[Item]:
        """Those of the items that were asked for; how many have come is noted."""
        for item in items:
            name = self._name(item)
            if name in some:
                some[name] -= 1
                yield item

    def _first_page(self, part: Narrowing, size: int) -> Page:
        return next(self._outline(size))

    def _outline(self, size: int | None) -> Iterator[Page]:
        outline = self._asking.endpoint.outline
        assert outline is not None
        return outline(self._asking.api, self.asked, self._asking.narrowing, self._figures, size)
