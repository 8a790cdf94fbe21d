"""What these tests need of an API, whether it is pgstac or imitates it, and the truth about it."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import requests

from stac_assets_tests.many_years import ManyYears, owner
from stac_assets_tests.pgstac_api import PgstacApi
from stac_assets_tests.stac_api import Document

CATALOG = ManyYears(collections=60, items=1_200, columns=10)

Key = tuple[str, str]
"""Collection and id of an item."""


class Server(Protocol):
    """An API that is filled, changed, and asked."""

    @property
    def url(self) -> str:
        """Its landing page."""
        ...

    @property
    def held(self) -> set[Key]:
        """What it holds, asked past its HTTP."""
        ...

    def put_collections(self, documents: Iterable[Document]) -> None:
        """Add collections, or replace them."""
        ...

    def put(self, documents: Iterable[Document]) -> None:
        """Add items, or replace those of the same collection and id."""
        ...

    def remove(self, collection: str, id: str) -> None:
        """Remove an item."""
        ...

    def count(self, *, is_on: bool) -> None:
        """Let it count what is found, once for each question from now on, or count nothing."""
        ...


class Imitation:
    """The API that runs without PostgreSQL."""

    def __init__(self, api: PgstacApi) -> None:
        self.api = api

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def held(self) -> set[Key]:
        return self.api.held

    def put_collections(self, documents: Iterable[Document]) -> None:
        new = {document["id"]: document for document in documents}
        self.api.collections = [
            *(known for known in self.api.collections if known["id"] not in new),
            *new.values(),
        ]

    def put(self, documents: Iterable[Document]) -> None:
        for document in documents:
            self.api.put(document)

    def remove(self, collection: str, id: str) -> None:
        self.api.remove(collection, id)

    def fill(self, catalog: ManyYears) -> None:
        """Put a whole catalog."""
        self.put_collections(catalog.collection_documents())
        self.put(catalog.documents())

    def count(self, *, is_on: bool) -> None:
        self.api.number_matched = "numberMatched" if is_on else None


def crawl(server: Server) -> dict[Key, Document]:
    """Every item as the API gives it, asked without our code and without any date."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy for this machine
        listed = session.get(f"{server.url}/collections", params={"limit": "1000"}, timeout=60).json()
        found = [item for known in listed["collections"] for item in _pages(session, server.url, known["id"])]
    truth = {(item["collection"], item["id"]): item for item in found}
    assert len(truth) == len(found), "the crawl met an item twice"
    assert set(truth) == server.held, "the crawl is not whole"
    return truth


def _pages(session: requests.Session, url: str, collection: str) -> Iterator[Document]:
    asked: Any = {"collections": [collection], "limit": 500}
    while asked:
        page = session.post(f"{url}/search", json=asked, timeout=60).json()
        yield from page["features"]
        asked = next((link["body"] for link in page["links"] if link["rel"] == "next"), None)


def owners(truth: dict[Key, Document]) -> dict[Key, str]:
    """The partition that each item belongs to."""
    return {key: owner(document) for key, document in truth.items()}
