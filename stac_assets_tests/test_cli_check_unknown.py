"""What `stac-assets check --base-url URL` tells of an API that nobody has configured yet."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stac_assets.cli.main import main
from stac_assets_tests.asking import limit_of
from stac_assets_tests.commanding import SETTING, Said, day_items, fill
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.linked_api import LinkedApi
from stac_assets_tests.loads import ids
from stac_assets_tests.stac_api import Document, StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request
from stac_assets_tests.test_absence import CutOff

Check = Callable[..., Said]


@pytest.fixture
def linked() -> Iterator[LinkedApi]:
    """A hundred items of five days, not in their order."""
    with LinkedApi(extensions=("filter", "query", "sortby")) as running:
        for day in (2, 4, 1, 5, 3):
            fill(running, day_items(day, day, per_day=20, updated=f"2024-02-0{day}T00:00:00Z"))
        yield running


@pytest.fixture
def check(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """What `check` says of an API in a project that knows nothing of it."""
    (project / ".dlt" / "config.toml").unlink()
    enter_project(project, monkeypatch)
    for name, value in {"BACKOFF": "0.001", "MAX_BACKOFF": "0.002", "MAX_RETRIES": "1"}.items():
        monkeypatch.setenv(SETTING + name, value)
    monkeypatch.setenv("COLUMNS", "80")

    def run(api: StacApi, *arguments: str, status: int = 0) -> Said:
        capsys.readouterr()
        ended = main(["check", "--base-url", api.url, *arguments])
        captured = capsys.readouterr()
        said = Said(ended, captured.out, captured.err)
        assert ended == status, said
        return said

    return run


def told(said: Said, label: str) -> str:
    """What stands behind a label; the lines of a label are joined."""
    facts = said.out.split("\n\n")[2]
    found = re.search(rf"^{label}  +(.*(?:\n {{11}}.*)*)", facts, re.M)
    assert found, said.out
    return " ".join(found[1].split())


def pasted(said: Said) -> str:
    """The lines that are recommended."""
    return said.out[said.out.index("[sources") :].partition("\n\n")[0] + "\n"


def test_a_usual_api_fits_on_a_screen_and_costs_few_requests(check: Check, linked: LinkedApi) -> None:
    said = check(linked)
    lines = said.out.splitlines()
    assert len(lines) <= 43 and max(map(len, lines)) <= 80 and said.err == ""
    assert lines[-1] == f"Everything that search needs is there. {len(linked.requests)} requests made."
    assert len(linked.requests) <= 40
    assert told(said, "links") == "json: conformance, data; geo+json: search; schema+json: queryables"
    assert told(said, "page size") == "a limit of 10,000 is answered; a page of 100 came"
    assert told(said, "counts") == "yes"
    assert told(said, "filter") == "filter (cql2-text, cql2-json), query; sort: yes, by time as asked"
    assert told(said, "dates") == "find all 100 items"
    assert told(said, "sensor") == "strategy `updated`, by the filter extension on `updated`, sorted"


def test_what_is_recommended_can_be_pasted_and_loads(
    check: Check, linked: LinkedApi, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked.fault(lambda request: limit_of(request) > 50, times=None, status=400)
    said = check(linked)
    assert pasted(said) == (
        "[sources.pystac_client_source]\n"
        f'base_url = "{linked.url}"\n'
        'collections = "*"\n'
        'start_date = "2024-01-01"\n'
        'granularity = "weekly"\n'
        "page_size = 50\n"
    )
    (project / ".dlt" / "config.toml").write_text(pasted(said))
    enter_project(project, monkeypatch)
    assert main(["load", "--end", "2024-01-05"]) == 0
    assert len(ids()) == 100
    again = check(linked)
    assert pasted(again) == pasted(said)


def test_collections_that_are_configured_for_another_api_are_not_looked_for(
    check: Check, linked: LinkedApi, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = '[sources.pystac_client_source]\nbase_url = "{}"\ncollections = ["c1", "c9"]\n'
    (project / ".dlt" / "config.toml").write_text(config.format("http://127.0.0.1:9/elsewhere"))
    enter_project(project, monkeypatch)
    monkeypatch.setenv("API_KEY", "of something else")
    said = check(linked)
    assert 'collections = "*"' in pasted(said) and said.err.count("API_KEY is set") == 1
    (project / ".dlt" / "config.toml").write_text(config.format(linked.url))
    enter_project(project, monkeypatch)
    assert 'collections = ["c1"]' in pasted(check(linked, status=1))


def _html_first(url: str, link: Document) -> list[Document]:
    return [{**link, "href": url + "/page", "type": "text/html"}, link] if link["rel"] == "data" else [link]


def _html_only(url: str, link: Document) -> list[Document]:
    return [{**link, "type": "text/html"}] if link["rel"] == "data" else [link]


def _unlinked(url: str, link: Document) -> list[Document]:
    return [] if link["rel"] == "data" else [link]


def _elsewhere(url: str, link: Document) -> list[Document]:
    away = {**link, "href": "https://elsewhere.example/collections?key=s3cr3t"}
    return [away] if link["rel"] == "data" else [link]


@pytest.mark.parametrize(
    ("relink", "why"),
    [
        (_html_first, "data: json is taken, not text/html"),
        (_html_only, "data: linked as text/html only; the usual path /collections works"),
        (_unlinked, "data: not linked; the usual path /collections works"),
        (
            _elsewhere,
            "data: links to https://elsewhere.example, which is not in `trusted_origins`; /collections works",
        ),
    ],
)
def test_the_links_that_are_used_and_why(check: Check, linked: LinkedApi, relink: Any, why: str) -> None:
    linked.relink = relink
    said = check(linked)
    assert told(said, "links").endswith(why) and "s3cr3t" not in said.out + said.err


def test_where_searches_go(check: Check, linked: LinkedApi) -> None:
    linked.relink = lambda url, link: [{**link, "href": link["href"].replace("/search", "/old")}]
    linked.fault("/old", status=308, headers={"Location": "/v1/search"}, times=None)
    assert told(check(linked), "search") == "by POST, which is redirected to /search"


def test_a_post_that_is_refused_and_a_base_url_that_moved(check: Check, linked: LinkedApi) -> None:
    linked.post_search = 403
    assert told(check(linked), "search") == "by GET; POST is refused (403), though linked"
    with StacApi() as former:
        former.fault("/", status=301, headers={"Location": linked.url}, times=None)
        said = check(former)
    assert told(said, "base_url") == f"redirected to {linked.url}"
    assert f'base_url = "{linked.url}"' in pasted(said)


REFUSALS = {
    "named": (400, b'{"description": "limit must be less than or equal to 70"}', 70),
    "named as text": (
        422,
        b'{"detail": [{"loc": ["body", "limit"], "ctx": {"le": 70}, "input": 10000}]}',
        70,
    ),
    "not named": (400, b'{"description": "bad request"}', 50),
    "by failing": (500, b"", 50),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_the_largest_page_where_more_is_refused(check: Check, linked: LinkedApi, kind: str) -> None:
    status, body, largest = REFUSALS[kind]
    linked.fault(lambda request: limit_of(request) > 70, times=None, status=status, body=body)
    said = check(linked)
    assert told(said, "page size") == f"{largest} is answered, a limit of 10,000 is refused ({status})"
    assert f"page_size = {largest}\n" in pasted(said)


def test_the_largest_page_where_a_page_is_cut_off(check: Check, linked: LinkedApi) -> None:
    linked.max_limit = 30
    said = check(linked)
    assert told(said, "page size") == "30 items, where 1,000 are asked for"
    assert "page_size = 30\n" in pasted(said)
    linked.number_matched = None
    assert told(check(linked), "page size") == "30 items, where 1,000 are asked for"


def test_a_page_size_that_the_user_has_set_stays_if_it_works(
    check: Check, linked: LinkedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked.max_limit = 30
    for configured, recommended in (("20", 20), ("40", 30)):
        monkeypatch.setenv(SETTING + "PAGE_SIZE", configured)
        assert f"page_size = {recommended}\n" in pasted(check(linked))


def test_large_items_make_small_pages(check: Check, linked: LinkedApi) -> None:
    fill(linked, day_items(1, 5, per_day=20, padding="x" * 90_000))
    assert told(check(linked), "page size") == "a limit of 10,000 is answered; a page of 20 came"


def test_counts(check: Check, linked: LinkedApi) -> None:
    def of_the_page(page: Document, request: Request) -> Document:
        return {**page, "numberMatched": len(page["features"])}

    linked.number_matched = "context"
    assert told(check(linked), "counts") == "yes"
    linked.number_matched = None
    said = check(linked)
    assert told(said, "counts") == "no" and told(said, "dates") == "find the items looked for"
    linked.on_page = of_the_page
    assert told(check(linked), "counts") == "those of the page, which say nothing of the whole result"


def test_what_is_claimed_and_not_done(check: Check, linked: LinkedApi) -> None:
    linked.feigned_extensions = "ignored"
    said = check(linked)
    assert told(said, "filter").endswith("sort: claimed, but items do not come as asked")
    assert told(said, "sensor") == "strategy `counts`"
    linked.extensions = ()
    assert told(check(linked), "filter") == "not claimed; sort: not claimed"


def test_items_that_dates_do_not_find(check: Check, linked: LinkedApi) -> None:
    def without_dates(page: Document, request: Request) -> Document:
        dated = bool((request.body or request.query).get("datetime"))
        return {**page, "numberMatched": page["numberMatched"] - 7 * dated}

    linked.on_page = without_dates
    assert told(check(linked), "dates").startswith("do not find 7 of 100 items")


@pytest.mark.parametrize("counts", [True, False])
def test_a_listing_that_is_cut_off(check: Check, counts: bool) -> None:
    collections = [make_collection(f"c{n:02}") for n in range(25)]
    with CutOff(collections=collections, items=[make_item("a", "c00")], counts=counts) as api:
        said = check(api)
        assert told(said, "listing").endswith("come by themselves, 25 collections with a larger limit")
        assert "\n… 15 more" in said.out
        api.highest, api.links = 10, True
        assert "10 collections; 15 more are missing: c10, c11," in " ".join(check(api).out.split())


@pytest.mark.parametrize(
    "path", ["/collections", "/queryables", "/conformance", "/api", "/collections/c1/items"]
)
def test_a_part_that_fails_is_told_with_its_status_and_the_rest_is_told_too(
    check: Check, linked: LinkedApi, path: str
) -> None:
    linked.fault(lambda request: request.path == path, times=None, status=500)
    said = check(linked)
    assert "500" in said.out and told(said, "page size") and "page_size" in pasted(said)


def test_a_question_that_fails_is_told(check: Check, linked: LinkedApi) -> None:
    linked.fault(lambda request: limit_of(request) in (1_000, 10_000), times=None, status=429)
    said = check(linked)
    assert told(said, "page size") == "not known: answered 429" and "page_size" not in pasted(said)
    linked.faults.clear()
    linked.fault(lambda request: "filter" in (request.body or {}), times=None, status=503)
    assert told(check(linked), "sensor") == "not known: answered 503"


def test_an_api_of_former_times_is_looked_at_as_a_whole(check: Check, linked: LinkedApi) -> None:
    linked.clear()
    fill(linked, [make_item(f"i{n}", datetime=f"1985-03-{n + 1:02}T00:00:00Z") for n in range(20)])
    said = check(linked)
    assert re.search(r"^c1 +1985-03-01  1985-03-20 +20 +\d+ B +20 ", said.out, re.M)
    assert 'start_date = "1985-03-01"' in pasted(said)


def test_an_api_that_asks_for_a_token(check: Check, linked: LinkedApi) -> None:
    linked.token = "s3cret"
    said = check(linked, status=1)
    assert "token  not configured, and the API asks for one\n" in said.out
    assert "client_root: answered 401" in said.err
