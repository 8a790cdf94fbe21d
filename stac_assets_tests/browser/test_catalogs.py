"""Three catalogs in the UI: a group each, and a partition of each that is materialized by clicking."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stac_assets_tests.browser.dagster_dev import DagsterDev
from stac_assets_tests.browser.three_catalogs import SAMPLES, three_catalogs
from stac_assets_tests.browser.ui import Ui
from stac_assets_tests.loads import DUCKDB_FILE, query

NAMES = sorted(sample.name for sample in SAMPLES)
TABLES = """
SELECT table_schema FROM information_schema.tables
WHERE table_name = 'search' AND NOT ends_with(table_schema, '_staging') ORDER BY 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project folder of these tests alone."""
    return tmp_path_factory.mktemp("catalogs") / "project"


@pytest.fixture(scope="module")
def dagster(program: str, folder: Path) -> Iterator[DagsterDev]:
    """`dagster dev` on the three, which is another one than that of the other tests."""
    with three_catalogs(folder) as running:
        yield running


def test_the_graph_shows_a_group_for_each(ui: Ui) -> None:
    ui.open("/asset-groups", "Materialize all (27)")
    for name in NAMES:
        node = ui.page.locator("foreignObject").filter(has_text=name).filter(visible=True)
        ui.shows("10", node)  # nine assets, and the API itself


def test_a_partition_of_each_is_materialized_by_clicking(ui: Ui, dagster: DagsterDev, folder: Path) -> None:
    for sample in SAMPLES:
        ui.materialize(sample.asset, sample.collection, sample.date)
        assert dagster.ended(dagster.run_of(sample.partition)) == "SUCCESS"
        ui.open_partition(sample.asset, sample.partition, "Materialized")
        ui.shows(sample.ids[0])
        figure = re.compile(rf"^\s*items\s*{sample.items}\s*$")
        ui.page.get_by_role("row").filter(has_text=figure).filter(visible=True).wait_for()
        ui.open(f"/assets/{sample.asset}?view=overview", f"{sample.name}.search")
        ui.shows(sample.partition)

    file = folder / DUCKDB_FILE
    assert [row["table_schema"] for row in query(TABLES, file)] == NAMES
    for sample in SAMPLES:
        found = query(f"SELECT id, collection FROM {sample.name}.search ORDER BY id", file)
        assert found == [{"id": id, "collection": sample.collection} for id in sample.ids]
