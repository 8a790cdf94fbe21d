"""What changes in a catalog between two loads: items come, move, change and go."""

import pytest

from stac_assets_tests.pgstac.loading import check_exact, load_all, load_years
from stac_assets_tests.pgstac.servers import CATALOG, Server, crawl, owners
from stac_assets_tests.stac_api import Document, make_collection, make_item

pytestmark = pytest.mark.usefixtures("project")


def change(server: Server) -> None:
    """Add, move, change and delete items of every kind, and empty a collection."""
    server.put_collections([make_collection("late")])
    server.put(
        [
            make_item("in-an-empty-collection", "c000", "1953-05-05T10:00:00Z"),
            make_item("before-all-others", "c005", "1949-12-31T23:59:59.999999Z", made=True),
            make_item("of-a-new-collection", "late", "2077-01-01T00:00:00Z"),
            make_item("for-30-years", "c001", start="1951-01-01T00:00:00Z", end="1981-01-01T00:00:00Z"),
            _beside("beside-itself", "c003", "1990-06-01T00:00:00Z", "2050-01-01T00:00:00Z"),
            _moved("c005", "item-0000", datetime="2031-07-01T10:00:00Z"),
            _moved("c001", "item-0001", start_datetime="1960-01-01T00:00:00Z"),
            _moved("c008", "item-0002", datetime="1999-09-09T09:09:09Z"),  # its interval stays
            _moved("c004", "item-0003", **{"c004:p0": 1.5, "c004:p1": None, "c004:new": "n"}),
            _moved("c003", "item-0001", **{"c003:p0": 2.5}),
        ]
    )
    server.remove("c006", "item-0000")
    server.remove("c008", "item-0001")
    for collection, id in sorted(server.held):
        if collection == "c011":
            server.remove(collection, id)


def _beside(id: str, collection: str, datetime: str, start: str) -> Document:
    return make_item(id, collection, datetime, start_datetime=start, end_datetime="2051-01-01T00:00:00Z")


def _moved(collection: str, id: str, **properties: object) -> Document:
    """An item of the catalog with other properties."""
    (found,) = (it for it in CATALOG.documents() if (it["collection"], it["id"]) == (collection, id))
    return {**found, "properties": {**found["properties"], **properties}}


@pytest.mark.parametrize("counts", [False, True], ids=["uncounted", "counted"])
def test_the_next_load_of_all_years_stores_what_changed(server: Server, counts: bool) -> None:
    server.count(is_on=counts)
    load_all(server)
    change(server)
    load_all(server)
    check_exact(server)


@pytest.mark.parametrize("counts", [False, True], ids=["uncounted", "counted"])
def test_the_partitions_that_changed_are_enough(server: Server, counts: bool) -> None:
    """A count is told that was made before the change, and the partitions are asked for one by one."""
    server.count(is_on=counts)
    load_all(server)
    before = crawl(server)
    change(server)
    after = crawl(server)
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    places = {owners(truth)[key] for truth in (before, after) for key in changed if key in truth}
    for collection, _, day in sorted(place.partition("|") for place in places):
        load_years(server, collection, day[:4])
    check_exact(server)
