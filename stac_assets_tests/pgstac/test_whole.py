"""A whole catalog, all its years: every item that a crawl without dates finds is stored, and stays."""

import subprocess
import sys
from pathlib import Path

import pytest

from stac_assets_tests.loads import without_load_id
from stac_assets_tests.pgstac.loading import check_exact, configure, load_all, load_years
from stac_assets_tests.pgstac.servers import CATALOG, Imitation, Server, crawl, owners
from stac_assets_tests.reading import rows

pytestmark = pytest.mark.usefixtures("project")


@pytest.mark.parametrize("counts", [False, True], ids=["uncounted", "counted"])
def test_the_command_stores_every_item_and_a_second_time_changes_nothing(
    server: Server, project: Path, counts: bool
) -> None:
    server.count(is_on=counts)
    configure(project, server)
    command = [Path(sys.executable).with_name("stac-assets"), "load"]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        check_exact(server)


@pytest.mark.parametrize("counts", [False, True], ids=["uncounted", "counted"])
def test_the_requests_follow_the_items(server: Server, counts: bool, request: pytest.FixtureRequest) -> None:
    """At most three of each collection beside its pages."""
    if not isinstance(server, Imitation):
        pytest.skip("pgstac does not tell how often it was asked")
    server.count(is_on=counts)
    found = [name for name, _ in server.held]
    pages = sum(-(-found.count(name) // 100) for name in CATALOG.names)
    load_all(server, page_size=100)
    assert len(server.api.requests) <= 3 * len(CATALOG.names) + pages


def test_a_partition_alone_is_the_same_as_in_the_range_around_it(server: Server) -> None:
    """Each way of saying when an item is has its collections, with years that only some of the items name."""
    truth = crawl(server)
    partitions = owners(truth)
    for name in CATALOG.names[1:11]:
        mine = sorted((key, id) for id, key in partitions.items() if id[0] == name)
        year = mine[len(mine) // 2][0].partition("|")[2][:4] if mine else "1999"
        load_years(server, name, year)
        expected = {id for key, id in mine if key.startswith(f"{name}|{year}")}
        stored = {(row["collection"], row["id"]) for row in rows() if row["collection"] == name}
        assert stored == expected, f"{name} in {year}"
    alone = without_load_id(rows())
    load_all(server)
    check_exact(server)
    kept = {(row["collection"], row["id"]) for row in alone}
    again = [row for row in without_load_id(rows()) if (row["collection"], row["id"]) in kept]
    assert [row["_partition_key"] for row in again] == [row["_partition_key"] for row in alone]
