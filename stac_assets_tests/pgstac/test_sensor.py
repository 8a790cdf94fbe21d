"""What `new_items_sensor` sees of an API that keeps its counts for a day."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
import requests

from stac_assets_tests import test_sensors
from stac_assets_tests.pgstac.servers import Server
from stac_assets_tests.stac_api import make_collection, make_item

pytestmark = pytest.mark.usefixtures("project")
RECENT, OLD = "2024-06-14", "2021-03-03"
"""Days for a sensor whose today is 2024-06-15."""


def counted(server: Server, day: str) -> int:
    """The count of a day as somebody else asks for it, always in the same words."""
    asked = {"collections": ["watched"], "datetime": f"{day}T00:00:00Z/{day}T23:59:59Z", "limit": 1}
    with requests.Session() as session:
        session.trust_env = False  # no proxy for this machine
        return int(session.post(f"{server.url}/search", json=asked, timeout=60).json()["numberMatched"])


def test_it_sees_what_comes_and_goes_although_counts_are_kept(
    server: Server, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put_collections([make_collection("watched")])
    server.put(
        make_item(f"item-{number:02}", "watched", f"{day}T10:00:00Z")
        for number, day in enumerate([OLD] * 3 + [RECENT] * 9)
    )
    server.count(is_on=True)
    assert (counted(server, RECENT), counted(server, OLD)) == (9, 3)
    api: Any = server.url
    sensors = test_sensors.Sensors(api, instance, collections=["watched"], start_date="2020-01-01")

    def seen() -> set[str]:
        """The days of the partitions that a tick requests, five minutes after the one before."""
        found = {key.rpartition("|")[2] for key in sensors.requested()}
        monkeypatch.setattr(test_sensors, "NOW", test_sensors.NOW + timedelta(minutes=5))
        return found

    assert seen() == set()
    server.put([make_item("new", "watched", f"{RECENT}T11:00:00Z")])
    assert counted(server, RECENT) == 9, "the API answers with the count of before"
    assert seen() == {RECENT}
    server.remove("watched", "item-00")
    assert counted(server, OLD) == 3
    assert OLD in seen()
    assert seen() == set()
