"""`stac-assets check`, over real HTTP."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.commanding import (
    MODULE,
    SETTING,
    TOKEN,
    WEEK,
    Run,
    Said,
    day_items,
    environment,
    fill,
    run_in,
)
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import ids
from stac_assets_tests.pages import block
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


TODAY = datetime.now(UTC).date()
PLANNED = TODAY + (TODAY - date(2024, 1, 1))
SOME_DAYS = ("check", "--collection", "*", "--start", "2024-01-03", "--end", "2024-01-08")


def extent(name: str, first: str | None, last: str | None) -> dict[str, Any]:
    """A collection that claims items between two times."""
    times = [time and f"{time}T00:00:00Z" for time in (first, last)]
    spatial = {"bbox": [[-180, -90, 180, 90]]}
    return make_collection(name, extent={"spatial": spatial, "temporal": {"interval": [times]}})


def spans(api: StacApi) -> None:
    """Collections of which some have items, some only claim to, and of which each reaches otherwise."""
    api.extensions = ("sortby",)
    for day in (2, 5, 9):
        api.put(make_item(f"i{day}", "sentinel-2-l2a", f"2024-01-{day:02}T12:00:00Z"))
    api.put(make_item("i", "mosaic", "2024-01-07T12:00:00Z"))
    api.collections += [
        extent("landsat-c2-l2", "2024-01-01", "2024-01-08"),
        extent("dem[10m]", "2024-01-10", "2024-01-10"),
        extent("since", "2024-01-03", None),
        extent("archive", None, "2024-01-03"),
        extent("forever", "2024-01-04", "9999-12-31"),  # as some catalogs say that it goes on
        extent("planned", "2024-01-04", f"{PLANNED}"),
        make_collection("new"),
    ]


DRAWN = block("docs/configuration.md", "text")
"""What the page shows is what `check` draws of these collections."""
IN_ASCII = str.maketrans("├─┤━█·◆╌▒◇◄", "|-|=#.*-%o<")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_check_draws_the_span_of_each_collection(api: StacApi, project: Path, encoding: str) -> None:
    spans(api)
    api.collections = [each for each in api.collections if each["id"] not in ("since", "forever", "planned")]
    settings = environment(api, PYTHONIOENCODING=encoding, COLUMNS="72")
    out = run_in(project, settings, *MODULE, *SOME_DAYS)
    lines = "\n".join(line.rstrip() for line in out.splitlines())
    assert (DRAWN if encoding == "utf-8" else DRAWN.translate(IN_ASCII)) in lines


def test_check_draws_what_goes_on_and_what_is_planned(
    run: Run, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    spans(api)
    out = run(*SOME_DAYS).out
    bars = out[out.index("claimed, not seen") :].split("\n\n")[1].splitlines()
    axis, days, bar = bars[0], bars[1], {line[:14].strip(): line[16:] for line in bars[2:]}
    assert axis.split() == ["2024-01-01", "today", f"{PLANNED}"]
    today = axis.index("today") + 2 - 16
    for collection in ("since", "forever"):
        assert re.fullmatch(r"▒╌+► *", bar[collection]) and bar[collection].index("►") == today
    assert re.fullmatch(r"▒╌+≈+", bar["planned"]) and bar["planned"].index("≈") == today + 1
    assert days.split() == ["range", "│"]


def test_check_without_days_draws_no_range(
    run: Run, api: StacApi, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans(api)
    monkeypatch.delenv(SETTING + "COLLECTIONS")
    (project / ".dlt" / "config.toml").write_text("")
    enter_project(project, monkeypatch)
    out = run("check", "--base-url", api.url).out
    assert "\nrange " not in out and "in range, no items known" not in out
    assert re.search(r"^█ items  ▒ claimed  ◆ a single day  ◇ ", out, re.M)


def test_check_draws_nothing_of_spans_that_are_not_known(run: Run, api: StacApi) -> None:
    fill(api, day_items(1, 1))
    assert "\nrange " not in run("check", "--end", "2024-01-01").out
