"""The API that imitates pgstac answers as pgstac does: without that, what it proves would prove nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from stac_assets_tests.pgstac.servers import CATALOG, Imitation, Server, crawl
from stac_assets_tests.pgstac_api import PgstacApi
from stac_assets_tests.stac_api import Document, make_item

INTERVALS = (
    None,
    "1940-01-01T00:00:00Z/2100-12-31T23:59:59Z",
    "1944-01-01T00:00:00Z/1944-01-01T00:00:00Z",
    "1987-01-01T00:00:00Z/1987-12-31T23:59:59Z",
    "2019-12-29T00:00:00Z/2020-01-01T00:00:00Z",
    "2050-06-01T00:00:00Z/..",
    "../1972-07-23T00:00:00Z",
)


@pytest.fixture
def both(server: Server, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Server]]:
    """pgstac and its imitation with the same catalog."""
    if not request.config.getoption("pgstac"):
        pytest.skip("pgstac itself is asked with --pgstac only")
    with PgstacApi() as api:
        imitation = Imitation(api)
        imitation.fill(CATALOG)
        yield server, imitation


def asked(server: Server, **question: Any) -> tuple[list[tuple[str, str]], list[int | None]]:
    """The items of all pages, and the counts that the pages tell."""
    found: list[tuple[str, str]] = []
    counts: list[int | None] = []
    body: Any = {"limit": 15, **{name: value for name, value in question.items() if value}}
    while body:
        answer = requests.post(f"{server.url}/search", json=body, timeout=60)
        assert answer.ok, answer.text
        page = answer.json()
        found += [(item["collection"], item["id"]) for item in page["features"]]
        counts.append(page.get("numberMatched"))
        assert page["numberReturned"] == len(page["features"])
        body = next((link["body"] for link in page["links"] if link["rel"] == "next"), None)
    return found, counts


def test_it_finds_and_counts_what_pgstac_does(both: tuple[Server, Server]) -> None:
    names = CATALOG.names[3:8]
    for counts in (False, True):
        for server in both:
            server.count(is_on=counts)
        for interval in INTERVALS:
            for collections in ([], *([name] for name in names)):
                question = {
                    "collections": collections,
                    "datetime": interval,
                    "limit": 15 if collections else 500,
                }
                real, imitated = (asked(each, **question) for each in both)
                assert sorted(real[0]) == sorted(imitated[0]), (interval, collections)
                assert real[1] == imitated[1], (interval, collections)
                if len(collections) == 1:
                    assert real[0] == imitated[0], "in another order"


def test_it_gives_the_same_documents(both: tuple[Server, Server]) -> None:
    """But for links, which name the server, and for properties that are null, which pgstac leaves out."""
    real, imitated = (crawl(server) for server in both)
    assert {key: spare(item) for key, item in real.items()} == {
        key: spare(item) for key, item in imitated.items()
    }


def spare(item: Document) -> Document:
    """What an item says, whichever API it is of."""
    said = {name: value for name, value in item["properties"].items() if value is not None}
    return {**item, "links": [], "properties": said}


def test_its_counts_grow_as_old_as_those_of_pgstac(both: tuple[Server, Server]) -> None:
    for server in both:
        server.count(is_on=True)
    questions: list[dict[str, Any]] = [
        {"collections": ["c005"]},
        {"collections": ["c005"], "datetime": INTERVALS[1]},
    ]
    old = [asked(both[0], **question) for question in questions]
    assert [asked(both[1], **question) for question in questions] == old
    for server in both:
        server.put([make_item("new", "c005", "2000-01-01T00:00:00Z")])
        server.remove("c005", "item-0000")
        server.remove("c005", "item-0001")
    for question, (found, counts) in zip(questions, old, strict=True):
        real, imitated = (asked(server, **question) for server in both)
        assert real == imitated
        assert len(real[0]) == len(found) - 1 and real[1] == counts, "the count is that of before"
    fresh = {**questions[0], "datetime": "1900-01-01T00:00:00Z/.."}
    assert asked(both[0], **fresh) == asked(both[1], **fresh)
