"""Tables of many columns in a DuckDB file take every load, however the file is named."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from stac_assets.pipeline.destinations import duckdb_connection
from stac_assets.pipeline.errors import StoreFailed
from stac_assets.pipeline.exclusion.database_file import STORAGE_VERSION
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import DUCKDB_FILE, load_days, query
from stac_assets_tests.stac_api import StacApi, make_item

WIDE = 1500
COLLECTIONS = 10
CREDENTIALS = "DESTINATION__DUCKDB__CREDENTIALS"
NAMINGS = {
    "unnamed": {},
    "by its path": {CREDENTIALS: str(DUCKDB_FILE)},
    "with settings": {
        f"{CREDENTIALS}__DATABASE": str(DUCKDB_FILE),
        f"{CREDENTIALS}__GLOBAL_CONFIG": '{"threads": 2}',
        f"{CREDENTIALS}__PRAGMAS": '["disable_progress_bar"]',
    },
    "of another name": {
        "PIPELINE__DESTINATION": "mine",
        "DESTINATION__MINE__DESTINATION_TYPE": "duckdb",
        "DESTINATION__MINE__CREDENTIALS": str(DUCKDB_FILE),
    },
}
ORDERED = "SELECT * FROM pystac_client_data.search ORDER BY id"


def put_wide(api: StacApi, columns: int, value: float = 0.5) -> None:
    """An item in each collection, with properties that no other has: columns of three types."""
    each = columns // COLLECTIONS
    for number in range(COLLECTIONS):
        names = [f"p{number * each + at:04}" for at in range(each)]
        values = [(value, f"text {value}", value > 1)[at % 3] for at in range(each)]
        properties: dict[str, Any] = dict(zip(names, values, strict=True))
        api.put(make_item(f"i{number}", f"c{number}", **properties))


def load(api: StacApi, collections: int = COLLECTIONS) -> int:
    """Load all of it, and return how many rows the destination counts."""
    names = [f"c{number}" for number in range(collections)]
    result = load_days(api, "search", names, inspected=True)
    assert result.inspection is not None
    return sum(rows.rows for rows in result.inspection.partitions.values())


@pytest.mark.parametrize(("naming", "columns"), [*((naming, 500) for naming in NAMINGS), ("unnamed", WIDE)])
def test_a_wide_table_takes_every_load(
    project: Path, api: StacApi, naming: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in NAMINGS[naming].items():
        monkeypatch.setenv(name, text)
    enter_project(project, monkeypatch)
    put_wide(api, columns)
    assert load(api) == COLLECTIONS
    stored = query(ORDERED)
    assert len([name for name in stored[0] if name.startswith("p0") or name.startswith("p1")]) == columns
    assert [(row["p0000"], row["p0001"], row["p0002"]) for row in stored[:2]] == [
        (0.5, "text 0.5", False),
        (None, None, None),
    ]
    put_wide(api, columns, 1.5)
    assert load(api) == COLLECTIONS
    changed = query(ORDERED)
    assert (changed[0]["p0000"], changed[0]["p0001"], changed[0]["p0002"]) == (1.5, "text 1.5", True)
    api.remove("c0", "i0")
    assert load(api, 1) == 0
    assert [row["id"] for row in query(ORDERED)] == [f"i{number}" for number in range(1, COLLECTIONS)]
    assert [path.name for path in project.glob("*.duckdb*")] == [DUCKDB_FILE.name]


def made_by_dlt(file: Path) -> None:
    """A file as it was made before blocks were small."""
    duckdb.connect(str(file), config={"storage_compatibility_version": STORAGE_VERSION}).close()


def test_a_file_with_large_blocks_takes_a_wide_table(project: Path, api: StacApi) -> None:
    made_by_dlt(DUCKDB_FILE)
    put_wide(api, WIDE)
    for _ in range(2):
        assert load(api) == COLLECTIONS


@pytest.mark.parametrize("memory", [4_000_000, 20_000_000, 40_000_000])
def test_too_little_memory_leads_to_a_try_with_more(
    project: Path, api: StacApi, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB notices it when a limit is set, while rows are inserted, or at the end of the transaction."""
    made_by_dlt(DUCKDB_FILE)
    put_wide(api, 500)
    load(api)
    monkeypatch.setattr(duckdb_connection, "MEMORY", memory)
    monkeypatch.setattr(duckdb_connection, "BLOCKS_OF_A_COLUMN", 0)
    put_wide(api, 500, 1.5)
    assert load(api) == COLLECTIONS
    assert query(ORDERED)[0]["p0000"] == 1.5


def test_a_limit_that_is_configured_is_kept_and_named_where_it_is_too_little(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by_dlt(DUCKDB_FILE)
    put_wide(api, WIDE)
    load(api)
    stored = query(ORDERED)
    monkeypatch.setenv(f"{CREDENTIALS}__DATABASE", str(DUCKDB_FILE))
    monkeypatch.setenv(f"{CREDENTIALS}__GLOBAL_CONFIG", '{"memory_limit": "100MB"}')
    enter_project(project, monkeypatch)
    put_wide(api, WIDE, 1.5)
    with pytest.raises(StoreFailed, match=r"1\d\d\d columns: give it more \(`memory_limit`"):
        load(api)
    assert query(ORDERED) == stored


NUMBERS = """SELECT DISTINCT compression FROM pragma_storage_info('pystac_client_data.search')
    WHERE column_name LIKE 'p0%' AND segment_type = 'DOUBLE'"""


@pytest.mark.parametrize(
    ("columns", "configured", "is_by_runs"), [(6, None, False), (320, None, True), (320, "rle", False)]
)
def test_numbers_that_most_rows_lack_are_compressed_by_their_runs(
    project: Path,
    api: StacApi,
    columns: int,
    configured: str | None,
    is_by_runs: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ALP, DuckDB's choice, keeps as many bits of a null as of a number; what is configured is kept."""
    if configured:
        monkeypatch.setenv(f"{CREDENTIALS}__DATABASE", str(DUCKDB_FILE))
        disabled = f'{{"disabled_compression_methods": "{configured}"}}'
        monkeypatch.setenv(f"{CREDENTIALS}__GLOBAL_CONFIG", disabled)
        enter_project(project, monkeypatch)
    for number in range(400):
        names = [f"p{at:03}" for at in range(columns)] if number < 100 else []
        values: dict[str, Any] = {name: number * 0.37 + at for at, name in enumerate(names)}
        api.put(make_item(f"i{number}", "c1", **values))
    load_days(api, "search", ["c1"], page_size=400)
    assert (query("SELECT max(p000) AS most FROM pystac_client_data.search")[0]["most"]) == 99 * 0.37
    methods = {row["compression"] for row in query(NUMBERS)}
    assert ("ALP" not in methods) == is_by_runs, methods
