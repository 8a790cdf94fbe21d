"""`stac-assets check`, over real HTTP."""

import re
from pathlib import Path

import pytest

from stac_assets_tests.commanding import SETTING, TOKEN, WEEK, Run, Said, day_items, fill
from stac_assets_tests.loads import ids
from stac_assets_tests.stac_api import StacApi, make_collection, make_item


def presence(said: Said, endpoint: str) -> str:
    """What `check` says of an endpoint."""
    found = re.search(rf"^{endpoint}  +(yes|no|refused|failed|not asked)  ", said.out, re.M)
    assert found, said.out
    return found[1]


def row(said: Said, collection: str) -> list[str]:
    """What `check` says of a collection: first and last day, items, then of the range: each, items, size."""
    found = re.search(rf"^{collection}  +(.*)$", said.out[said.out.index("\ncollection  ") :], re.M)
    assert found, said.out
    return re.split(r"  +", found[1].strip())


def test_check_tells_what_the_api_has_before_anything_loads(run: Run, api: StacApi, project: Path) -> None:
    fill(api, day_items(1, 8, per_day=3))

    said = run("check", *WEEK)

    assert said.status == 0
    assert "token  not configured" in said.out
    for endpoint in ("client_root", "conformance", "landing_pages", "collections", "collection"):
        assert presence(said, endpoint) == "yes"
    for endpoint in ("queryables", "collection_items", "search", "item"):
        assert presence(said, endpoint) == "yes"
    assert "POST; 10 items in the first page of c1" in said.out
    each, items, size = row(said, "c1")[-3:]
    assert each.endswith(" B") and items == "21" and size.endswith(" kB")
    assert "Everything that search needs is there." in said.out
    asked = {(request.method, request.path) for request in api.requests}
    assert asked >= {
        *(("GET", path) for path in ("/", "/conformance", "/api", "/collections", "/collections/c1")),
        *(("GET", path) for path in ("/queryables", "/collections/c1/items", "/collections/c1/items/i1-0")),
        ("POST", "/search"),
    }
    assert [path.name for path in project.iterdir()] == [".dlt"]


def test_check_estimates_the_size_of_all_items_from_a_page(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1, per_day=100, padding="x" * 10_000))
    said = run("check", "--end", "2024-01-01")
    each, items, size = row(said, "c1")[-3:]
    assert re.fullmatch(r"10\.\d kB", each) and (items, size) == ("100", "1.0 MB")


def test_check_says_which_method_searches(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    api.post_search = False
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert "GET; 1 item in the first page of c1" in said.out


@pytest.mark.parametrize(("per_day", "count"), [(20, "?"), (5, "5")])
def test_check_counts_only_what_it_knows(run: Run, api: StacApi, per_day: int, count: str) -> None:
    fill(api, day_items(1, 1, per_day=per_day))
    api.number_matched = None
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert row(said, "c1")[-2] == count


def test_check_of_a_range_without_items(run: Run, api: StacApi) -> None:
    api.collections.append(make_collection("c1"))
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert presence(said, "item") == "not asked"
    assert row(said, "c1")[-3:] == ["?", "0", "0 B"]


def test_check_names_what_is_missing_and_what_to_do(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    api.has_search = False

    said = run("check", "--end", "2024-01-01")

    assert said.status == 1
    assert presence(said, "search") == "no"
    assert 'error: search: the API does not have it; set `item_assets = ["collection_items"]`' in said.err
    assert row(said, "c1")[-2] == "1"  # counted by the endpoint that is there


def test_an_api_without_collections_can_be_searched_and_check_says_so(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    api.has_collections = False
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert (presence(said, "collections"), presence(said, "search")) == ("no", "yes")
    assert run("load", "--end", "2024-01-01").status == 0
    assert ids() == ["i1-0"]


def test_check_names_a_filter_that_the_api_does_not_claim_to_know(
    run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(api, day_items(1, 1))
    monkeypatch.setenv(SETTING + "QUERY", '{"gsd": {"lt": 20}}')
    unclaimed = run("check", "--end", "2024-01-01")
    assert "`query` narrows the search, and the API does not claim the query extension" in unclaimed.out
    assert "Everything" not in unclaimed.out
    api.extensions = ("query",)
    assert "does not claim" not in run("check", "--end", "2024-01-01").out


def test_check_asks_for_what_the_item_assets_need(
    run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(api, day_items(1, 1))
    api.has_search = False
    monkeypatch.setenv(SETTING + "ITEM_ASSETS", '["collection_items"]')
    said = run("check", "--end", "2024-01-01")
    assert said.status == 0
    assert "Everything that collection_items needs is there." in said.out


def test_check_finds_a_collection_that_does_not_exist(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    said = run("check", "--collection", "c1", "--collection", "c11", "--end", "2024-01-01")
    assert said.status == 1
    assert row(said, "c1")[-2] == "1"
    assert "not readable" in row(said, "c11")
    assert "error: c11: " in said.err
    assert "near matches: c1." in said.err


def test_check_of_all_collections(run: Run, api: StacApi) -> None:
    fill(api, [make_item("a"), make_item("b", collection="c2")])
    said = run("check", "--collection", "*", "--end", "2024-01-01")
    assert said.status == 0
    assert row(said, "c1")[-2] == row(said, "c2")[-2] == "1"


@pytest.mark.parametrize(
    ("needed", "given", "told", "status"),
    [
        (TOKEN, TOKEN, "accepted (api_key)", 0),
        (TOKEN, "wrong", "refused (api_key)", 1),
        (TOKEN, None, "not configured, and the API asks for one", 1),
        (TOKEN, "your_api_key_here", "not configured, and the API asks for one", 1),
        (None, None, "not configured", 0),
    ],
)
def test_check_tells_what_became_of_the_token(
    run: Run,
    api: StacApi,
    monkeypatch: pytest.MonkeyPatch,
    needed: str | None,
    given: str | None,
    told: str,
    status: int,
) -> None:
    fill(api, day_items(1, 1))
    api.token = needed
    if given is not None:
        monkeypatch.setenv(SETTING + "API_KEY", given)
    said = run("check", "--end", "2024-01-01")
    assert said.status == status
    assert f"token  {told}\n" in said.out
    if status:
        assert "error: client_root: answered 40" in said.err
        assert ".dlt/secrets.toml" in said.err


def test_check_of_what_is_no_stac_api(run: Run, api: StacApi) -> None:
    api.fault("/", times=None, body=b"<html>welcome</html>")
    said = run("check")
    assert said.status == 1
    assert "is no STAC API" in said.err
    assert said.out == ""
