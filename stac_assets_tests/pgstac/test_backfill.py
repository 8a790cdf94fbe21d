"""A whole catalog in Dagster, by runs of the shapes into which its daemon cuts a backfill."""

import dagster as dg
import pytest

from stac_assets_tests.loads import items
from stac_assets_tests.pgstac.loading import WHOLE
from stac_assets_tests.pgstac.servers import CATALOG, Server, crawl, owners
from stac_assets_tests.stac_api import make_item
from stac_assets_tests.test_dagster import Runs, failure, told

FIRST, LAST = CATALOG.names[0], CATALOG.names[-1]
YEARS = ("1944-01-01", "1987-01-01", "2020-01-01", "2099-01-01")
SHAPES = (
    *((f"{FIRST}|{year}", f"{LAST}|{year}") for year in YEARS),  # a year of all collections
    ("c008|1940-01-01", "c008|2100-01-01"),  # all years of a collection
    ("c003|2026-01-01", "c004|2035-01-01"),  # some of both
)


@pytest.mark.parametrize("counts", [False, True], ids=["uncounted", "counted"])
def test_each_run_stores_its_partitions(server: Server, instance: dg.DagsterInstance, counts: bool) -> None:
    server.count(is_on=counts)
    runs = Runs(server.url, instance, collections="*", **WHOLE)
    assert runs("collections").success
    truth = crawl(server)
    places = {key: place[:-6] + "-01-01" for key, place in owners(truth).items()}
    loaded: set[str | None] = set()
    for first, last in SHAPES:
        result = runs("search", first, last)
        assert result.success, failure(result)
        found = told(result)
        loaded |= set(found)
        numbers = {place: metadata["items"] for place, metadata in found.items()}
        assert numbers == {place: list(places.values()).count(str(place)) for place in found}
        assert items() == {key: truth[key] for key, place in places.items() if place in loaded}
    assert len(loaded) == len(YEARS) * len(CATALOG.names) + 161 + 20 - len({*SPARED})


SPARED = ("c008|1944", "c008|1987", "c008|2020", "c008|2099")
"""Partitions of two of the runs."""


def test_a_run_again_stores_what_changed(server: Server, instance: dg.DagsterInstance) -> None:
    runs = Runs(server.url, instance, collections="*", **WHOLE)
    assert runs("collections").success
    shape = (f"{FIRST}|2020-01-01", f"{LAST}|2020-01-01")
    assert runs("search", *shape).success
    before = owners(crawl(server))
    gone = next(key for key, place in sorted(before.items()) if place.partition("|")[2][:4] == "2020")
    server.remove(*gone)
    server.put([make_item("new", FIRST, "2020-02-29T12:00:00Z")])
    assert runs("search", *shape).success
    truth = crawl(server)
    assert items() == {
        key: truth[key] for key, place in owners(truth).items() if place.partition("|")[2][:4] == "2020"
    }
