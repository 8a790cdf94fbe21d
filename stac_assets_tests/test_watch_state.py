"""States of the watcher that version 0.1.0 stored in cursors: they are read, and written as they were."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from stac_assets.stac.watch.position import Position, Walk
from stac_assets.stac.watch.state import State
from stac_assets.stac.watch.updated_filter import UpdatedFilter
from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.watching import Watch, at, put

BY_FILTER = UpdatedFilter("filter", "updated")
SINCE = datetime(2024, 6, 15, 6, tzinfo=UTC)
STORED: dict[str, tuple[str, State]] = {
    "updated": (
        '{"strategy":"updated","turn":"c7fcd146","language":["filter","updated","",true],"is_sorted":true,'
        '"position":{"since":"2024-06-15T06:00:00Z","seen":["343d4ca8"]}}',
        State("updated", "c7fcd146", BY_FILTER, True, Position(SINCE, ("343d4ca8",))),
    ),
    "walking": (
        '{"strategy":"updated","turn":"ba045b5b","language":["query","created","",true],'
        '"position":{"since":"2024-06-15T06:00:00Z","walk":{"until":"2024-06-15T06:23:00Z",'
        '"day":"2024-03-01","seen":null}}}',
        State(
            *("updated", "ba045b5b", UpdatedFilter("query", "created")),
            position=Position(SINCE, (), Walk(SINCE.replace(minute=23), date(2024, 3, 1), None)),
        ),
    ),
    "counts": (
        '{"strategy":"counts","turn":"4cb163cd","seen":{"2024-06-15":"1"},"begin":"2024-06-14",'
        '"was_empty":true}',
        State(
            *("counts", "4cb163cd"), seen={date(2024, 6, 15): "1"}, begin=date(2024, 6, 14), was_empty=True
        ),
    ),
    "empty": ('{"strategy":"empty","turn":"4cb163cd"}', State("empty", "4cb163cd")),
}


@pytest.mark.parametrize(("text", "state"), STORED.values(), ids=list(STORED))
def test_a_stored_state_is_read_and_written_as_it_was(text: str, state: State) -> None:
    assert msgspec.json.decode(text, type=State) == state
    assert msgspec.json.encode(state).decode() == text


@pytest.mark.parametrize(
    ("name", "extensions", "found"),
    [
        ("updated", ("filter", "sortby"), "2024-01-03"),
        ("counts", (), "2024-06-14"),
        ("empty", (), "2024-06-14"),
    ],
)
def test_a_watcher_goes_on_from_a_stored_state(api: StacApi, name: str, extensions: Any, found: str) -> None:
    api.extensions = extensions
    put(api, "late", "2024-01-03", at(1))
    put(api, "new", "2024-06-14", "2024-06-15T05:00:00Z")
    watch = Watch(api, state=msgspec.json.decode(STORED[name][0], type=State))
    assert watch.days() == [found]
    assert watch.state and watch.state.serial != STORED[name][1].serial
