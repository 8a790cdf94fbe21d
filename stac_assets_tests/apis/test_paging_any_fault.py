"""Any sequence of faults: a model of an API that misbehaves, which Hypothesis drives through the fetch."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stac_assets_tests.asking import fetched, limit_of, spooled
from stac_assets_tests.faulty_pages import next_of, token_of, without_next
from stac_assets_tests.stac_api import StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request

WHIMS = ("ok", "no next", "loop", "again", "empty", "longer", "HTML", "lost token", "500", "429", "drop")


@settings(max_examples=40)
@given(
    times=st.lists(st.integers(0, 86_399), max_size=25, unique=True),
    spans=st.lists(st.tuples(st.integers(-90_000, 86_399), st.integers(0, 200_000)), max_size=6),
    page_size=st.integers(1, 12),
    limit=st.none() | st.integers(10, 12),
    count=st.sampled_from(["numberMatched", "context", None]),
    style=st.sampled_from(["token", "merge", "relative", "get_from_post", "headers"]),
    whims=st.lists(st.sampled_from(WHIMS), max_size=40),
    too_large=st.none() | st.integers(1, 6),
    refused_after=st.none() | st.integers(0, 5),
)
def test_any_sequence_of_faults_ends_with_the_distinct_items_of_the_partition(
    times: list[int],
    spans: list[tuple[int, int]],
    page_size: int,
    limit: int | None,
    count: Any,
    style: Any,
    whims: list[str],
    too_large: int | None,
    refused_after: int | None,
) -> None:
    items = [make_item(f"i{n}", datetime=_at(second)) for n, second in enumerate(times)]
    items += [
        make_item(f"s{n}", start=_at(begin), end=_at(begin + length))
        for n, (begin, length) in enumerate(spans)
    ]
    owned = [f"i{n}" for n in range(len(times))]
    owned += [f"s{n}" for n, (begin, _) in enumerate(spans) if begin >= 0]
    elsewhere = [f"s{n}" for n, (begin, length) in enumerate(spans) if begin < 0 <= begin + length]
    api = StacApi(
        collections=[make_collection("c1")],
        items=items,
        max_limit=limit
        if count
        else None,  # that nothing tells of a limit and its next pages is another test
        number_matched=count,
        next_style=style,
        post_fails_after=refused_after,
    )
    whimsical = Whims(api, list(whims))
    api.on_page = whimsical.page
    if too_large is not None:
        api.fault(lambda request: limit_of(request) > too_large, status=413, times=None)
    api.fault(whimsical.refuses, times=None, status=500)
    with api, tempfile.TemporaryDirectory() as folder:
        [window] = fetched(api, Path(folder), page_size=page_size, max_retries=3)
        if window.error is None:
            assert spooled(window) == sorted(owned)
            assert window.figures.items == len(owned)
            assert window.figures.items_owned_elsewhere == len(elsewhere)
        else:
            told = str(window.error)
            assert "cannot be split" in told or "<html>busy" in told  # which no smaller request helps against
            assert whims or too_large, "an honest API is read to its end"


def _at(second: int) -> str:
    return (datetime(2024, 1, 1) + timedelta(seconds=second)).isoformat() + "Z"


class Whims:
    """Makes an API misbehave, one page after the other, until all is used up."""

    def __init__(self, api: StacApi, left: list[str]) -> None:
        self._api = api
        self._left = left

    def refuses(self, request: Request) -> bool:
        """Whether the request is refused, and not answered with a page."""
        if request.path != "/search" or not self._left:
            return False
        refused = self._left[0] == "500" or (self._left[0] == "lost token" and token_of(request) is not None)
        if refused:
            self._left.pop(0)
        return refused

    def page(self, page: Any, request: Request) -> Any:
        """The page as it is sent."""
        link = next_of(page)
        match self._left.pop(0) if self._left else "ok":
            case "no next":
                without_next(page)
            case "loop" if link:
                self._lead_back(link, request)
            case "again" if link:  # the same page, once more, under another address
                self._lead_back(link, request)
                link["href"] += ("&" if "?" in link["href"] else "?") + f"again={len(self._left)}"
            case "empty" if link and self._api.next_style == "token" and request.method == "POST":
                page["features"] = []
                self._lead_back(link, request)
                link["body"] = {**request.body, "after-empty": len(self._left)}
            case "longer":
                page["features"] += page["features"][:1]
            case "HTML":
                return b"<html>busy</html>"
        return page

    def _lead_back(self, link: dict[str, Any], request: Request) -> None:
        link.clear()
        link.update(rel="next", href=self._api.url + request.target.removeprefix(self._api.prefix))
        link["method"] = request.method
        if token := request.headers.get("search-after"):
            link["headers"] = {"Search-After": token}
        if request.method == "POST":
            link["body"] = request.body
