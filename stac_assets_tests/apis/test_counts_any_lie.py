"""Whatever an API lies about its counts and pages: all items come, or an error that says why they do not."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stac_assets_tests.asking import fetched, spooled
from stac_assets_tests.lying_api import LyingApi
from stac_assets_tests.stac_api import make_collection, make_item

REASONS = ("limit", "lost the filter", "no `next` link", "contradicts itself", "cannot be split")


@given(
    times=st.lists(st.integers(0, 86_399), max_size=60, unique=True),
    at_once=st.integers(0, 8),
    others=st.integers(0, 30),
    page_size=st.integers(1, 30),
    limit=st.none() | st.integers(10, 30),
    cap=st.none() | st.integers(10, 40),
    counts=st.none() | st.sampled_from(["of the page", "stale"]),
    stale=st.integers(0, 40),
    loses=st.sampled_from([(), ("collections",), ("datetime",), ("collections", "datetime")]),
    loses_next=st.booleans(),
)
def test_all_items_or_an_error_that_says_why(
    times: list[int],
    at_once: int,
    others: int,
    page_size: int,
    limit: int | None,
    cap: int | None,
    counts: Any,
    stale: int,
    loses: tuple[str, ...],
    loses_next: bool,
) -> None:
    own = [make_item(f"i{n}", datetime=_at(second)) for n, second in enumerate(times)]
    own += [make_item(f"o{n}") for n in range(at_once)]
    foreign = [make_item(f"f{n}", "c2", _at(n * 2_000)) for n in range(others)]
    foreign += [make_item(f"d{n}", datetime=f"2024-02-{n % 28 + 1:02}T10:00:00Z") for n in range(others)]
    mixed = sorted([*own, *foreign], key=lambda item: int(item["id"][1:]) * 5 % 7)
    api = LyingApi(
        collections=[make_collection("c1"), make_collection("c2")],
        items=mixed,
        max_limit=limit,
        cap=cap,
        counts=counts,
        stale=stale,
        loses=loses,
        loses_next=loses_next,
    )
    is_honest = cap is None and counts is None and not loses and not loses_next
    with api, tempfile.TemporaryDirectory() as folder:
        [window] = fetched(api, Path(folder), page_size=page_size)
        if window.error is None:
            assert spooled(window) == sorted(item["id"] for item in own)
        else:
            assert not is_honest, "an honest API is read to its end"
            assert any(reason in str(window.error) for reason in REASONS), str(window.error)


def _at(second: int) -> str:
    return f"2024-01-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
