"""Fixtures of the destinations that hold geometries: a DuckDB file, and folders of files."""

from typing import Any

import pytest
import shapely

from stac_assets_tests.destinations.lake import Lake, configured
from stac_assets_tests.loads import DATASET, query


class Shapes:
    """The geometries of the project's destination.

    Args:
        lake: the folder of its files; None where it is DuckDB.
    """

    def __init__(self, lake: Lake | None) -> None:
        self._lake = lake

    def of(self, table: str = "search") -> dict[str, Any]:
        """The geometries by id, None where there is none, or no column of that name."""
        if self._lake is None:
            found = query(f"SELECT * EXCLUDE (geom), ST_AsWKB(geom) AS geom FROM {DATASET}.{table}")
        else:
            found = self._lake.rows(table)
        assert len({row["id"] for row in found}) == len(found)
        return {
            row["id"]: None if row["geom"] is None else shapely.from_wkb(bytes(row["geom"])) for row in found
        }

    def columns(self, table: str = "search") -> set[str]:
        """The columns of the rows."""
        if self._lake is None:
            return {row["column_name"] for row in query(f"DESCRIBE {DATASET}.{table}")}
        return {name for row in self._lake.rows(table) for name in row}


@pytest.fixture(params=["duckdb", "parquet", "delta"])
def shapes(request: Any, project: Any, monkeypatch: pytest.MonkeyPatch) -> Shapes:
    """The geometries of an empty place, into which the project in the current folder loads."""
    if request.param == "duckdb":
        return Shapes(None)
    return Shapes(configured(Lake(request.param, (project / "lake").as_uri()), monkeypatch))
