"""The results of several questions as one: what more than one of them finds comes once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from stac_assets.stac.documents import Page
from stac_assets.stac.figures import Figures
from stac_assets.stac.interval_reader import digest, identity
from stac_assets.stac.narrowing import Narrowing

Read = Callable[[Narrowing, Figures], Iterator[Page]]
"""Reads the pages of one question to their end, and counts in the figures."""


class Joined:
    """Knows the documents that came, so that the next question does not bring them again."""

    def __init__(self) -> None:
        self.shared = 0
        """The documents that a later question found too."""
        self._known: set[bytes] = set()
        self._new: set[bytes] = set()

    def begin(self) -> None:
        """Note that another question begins."""
        self._known |= self._new
        self._new = set()

    def unseen(self, page: Page) -> Page:
        """The page without the documents of earlier questions, and without its count: that is of one only."""
        items, rejected = [], []
        for item in page.items:
            key = identity(item)
            (page.repeats if self._is_known(key) else items).append(item)
        for document in page.rejected:
            if not self._is_known(digest(document.text.encode())):
                rejected.append(document)
        return Page(items, page.links, rejected, None, page.repeats)

    def _is_known(self, key: bytes) -> bool:
        is_known = key in self._known
        self.shared += is_known
        self._new.add(key)
        return is_known


def joined_pages(narrowing: Narrowing, figures: Figures, read: Read) -> Iterator[Page]:
    """The pages of the parts of a question, one part after the other, with each document once.

    The count is what the API counts of all parts, without what several of them have.

    Args:
        narrowing: the filters, which say what the parts are.
        figures: get the figures of all parts.
        read: reads one part.
    """
    parts = narrowing.parts
    if len(parts) == 1:
        yield from read(narrowing, figures)
        return
    joined, counts = Joined(), list[int | None]()
    for part in parts:
        joined.begin()
        own, told = Figures(), Figures()  # splits are bounded by what one part has
        try:
            for page in read(part, own):
                figures.add(own.since(told))
                told = replace(own)
                yield joined.unseen(page)
            counts.append(own.number_matched)
        finally:
            figures.add(own.since(told))
    known = [count for count in counts if count is not None]
    if len(known) == len(parts):
        figures.number_matched = sum(known) - joined.shared


def joined_first_page(pages: Sequence[Page]) -> Page:
    """The first pages of the parts of a question as one, and the sum of their counts."""
    if len(pages) == 1:
        return pages[0]
    joined = Joined()
    found = Page([], [])
    for page in pages:
        joined.begin()
        unseen = joined.unseen(page)
        found.items += unseen.items
        found.rejected += unseen.rejected
        found.links += [link for link in page.links if link.rel == "next"]
    counts = [page.number_matched for page in pages if page.number_matched is not None]
    found.number_matched = sum(counts) if len(counts) == len(pages) else None
    return found
