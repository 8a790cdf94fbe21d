"""A whole catalog in Dagster, by runs of the shapes into which its daemon cuts a backfill."""

import dagster as dg
import pytest

from stac_assets_tests.loads import items
from stac_assets_tests.pgstac.loading import WHOLE
from stac_assets_tests.pgstac.servers import Key, Server, crawl, owners
from stac_assets_tests.stac_api import Document, make_item
from stac_assets_tests.test_dagster import Runs, failure, told

EVERY = slice(None)
SHAPES = (
    *((EVERY, year, year) for year in (1944, 1987, 2020, 2099)),  # a year of all collections
    (slice(8, 9), 1940, 2100),  # all years of a collection
    (slice(3, 5), 2026, 2035),  # some of both
)
"""Which collections, as Dagster knows them, and the first and the last of the years of each run."""


def prepared(server: Server, instance: dg.DagsterInstance) -> tuple[Runs, list[str]]:
    """What makes runs, and the collections in the order in which Dagster came to know them."""
    usual = {"largest_whole_collection": 100_000}
    runs = Runs(server.url, instance, collections="*", **usual, **WHOLE)
    assert runs("collections").success
    return runs, list(instance.get_dynamic_partitions(f"collections of {server.url}"))


def partitions(truth: dict[Key, Document]) -> dict[Key, str]:
    """The partition of each item, where each year is one."""
    return {key: f"{place[:-6]}-01-01" for key, place in owners(truth).items()}


@pytest.mark.parametrize("counts", [False, True], ids=["uncounted", "counted"])
def test_each_run_stores_its_partitions(server: Server, instance: dg.DagsterInstance, counts: bool) -> None:
    server.count(is_on=counts)
    runs, names = prepared(server, instance)
    truth = crawl(server)
    places = partitions(truth)
    loaded: set[str] = set()
    for which, first, last in SHAPES:
        mine = names[which]
        keys = {f"{name}|{year}-01-01" for name in mine for year in range(first, last + 1)}
        result = runs("search", f"{mine[0]}|{first}-01-01", f"{mine[-1]}|{last}-01-01")
        assert result.success, failure(result)
        numbers = {place: metadata["items"] for place, metadata in told(result).items()}
        assert numbers == {key: list(places.values()).count(key) for key in keys}
        loaded |= keys
        assert items() == {key: truth[key] for key, place in places.items() if place in loaded}


def test_a_run_again_stores_what_changed(server: Server, instance: dg.DagsterInstance) -> None:
    runs, names = prepared(server, instance)
    year = "2020-01-01"
    shape = (f"{names[0]}|{year}", f"{names[-1]}|{year}")
    assert runs("search", *shape).success
    found = partitions(crawl(server))
    server.remove(*next(key for key, place in sorted(found.items()) if place.endswith(year)))
    server.put([make_item("new", names[0], "2020-02-29T12:00:00Z")])
    assert runs("search", *shape).success
    truth = crawl(server)
    assert items() == {key: truth[key] for key, place in partitions(truth).items() if place.endswith(year)}
