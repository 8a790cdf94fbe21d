"""Tables as files give back every document as it was sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stac_assets_tests.destinations.lake import FORMATS, Lake, configured
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import RawItem, StacApi, make_item
from stac_assets_tests.strategies import canonical, items_of_a_day
from stac_assets_tests.test_lossless import (
    BAD,
    NOON,
    Json,
    as_text,
    assert_equal_items,
    load_all,
    recorded,
    recorded_items,
)

pytest_plugins = ["stac_assets_tests.destinations.lakes"]


@recorded
def test_all_508_recorded_items(lake: Lake) -> None:
    sent = recorded_items("items.ndjson", "items-rejected-by-rustac.ndjson")
    assert len(sent) == 508
    with StacApi(items=sent) as api:
        load_all(api.url, sent, "search")
    assert_equal_items(lake.items("search"), sent)


@recorded
@pytest.mark.parametrize("lake", [f"{form}-local" for form in FORMATS], indirect=True)
def test_single_recorded_items(lake: Lake) -> None:
    sent = recorded_items("items-rejected-by-rustac.ndjson") + recorded_items("items.ndjson")[::40]
    with StacApi(items=sent) as api:
        load_all(api.url, sent, "item")
    assert_equal_items(lake.items("item"), sent)


@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(items_of_a_day("c1", "2024-01-01"), st.booleans())
def _generated(lake: Lake, api: StacApi, sent: list[Json], ascii_only: bool) -> None:
    api.clear()
    for item in sent:
        text = json.dumps(item, ensure_ascii=ascii_only).encode()
        api.put(RawItem(text, "c1", NOON, NOON, id=item["id"]))
    load_days(api)
    assert {id: canonical(item) for (_, id), item in lake.items().items()} == {
        item["id"]: canonical(item) for item in sent
    }


@pytest.mark.parametrize("form", FORMATS)
def test_generated_items(project: Path, api: StacApi, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example replaces the partition that the one before had filled, in one and the same table."""
    _generated(configured(Lake(form, (project / "lake").as_uri()), monkeypatch), api)


def test_what_no_table_can_hold_is_kept_as_text(lake: Lake, api: StacApi) -> None:
    good: dict[str, Any] = {id: make_item(id, v=1) for id in "abc"}
    for item in [*good.values(), *(RawItem(text, "c1", NOON, NOON, id) for id, text in BAD.items())]:
        api.put(item)
    load_days(api)
    assert lake.items() == {("c1", id): item for id, item in good.items()}
    assert sorted(row["document"] for row in lake.rows("rejected_items")) == sorted(
        map(as_text, BAD.values())
    )
