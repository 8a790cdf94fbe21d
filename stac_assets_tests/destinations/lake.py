"""Folders and buckets that tests load into, and readers of them that know nothing of this project."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads
import pytest

from stac_assets.source.rows import item_from_row
from stac_assets_tests.destinations.s3 import S3
from stac_assets_tests.loads import DATASET, Row

FORMATS = ("delta", "parquet")


@dataclass
class Lake:
    """A place for tables, of one format.

    Args:
        table_format: `delta` or `parquet`.
        url: of the folder or bucket.
        s3: the server, for a bucket.
    """

    table_format: str
    url: str
    s3: S3 | None = None

    def rows(self, table: str = "search", dataset: str = DATASET) -> list[Row]:
        """Every row, in some order that is always the same: of Delta as `deltalake` reads it, else DuckDB."""
        with self._local(f"{dataset}/{table}") as folder:
            if self.table_format == "parquet":
                return self._by_duckdb(folder)
            from deltalake import DeltaTable

            options = self.s3.options() if self.s3 else None
            return in_order(
                DeltaTable(f"{self.url}/{dataset}/{table}", storage_options=options).to_pyarrow_table()
            )

    def rows_by_arrow(self, table: str = "search") -> list[Row]:
        """Every row as pyarrow finds it in the files of a Hive layout."""
        with self._local(f"{DATASET}/{table}") as folder:
            if not list(folder.rglob("*.parquet")):
                return []
            return in_order(pads.dataset(folder, partitioning="hive").to_table())

    def ids(self, table: str = "search", day: str | None = None) -> list[str]:
        """The ids of the rows, of one day or all; a row twice is there twice."""
        return sorted(
            row["id"] for row in self.rows(table) if day is None or row["_partition_key"].endswith(day)
        )

    def by_day(self, table: str = "search") -> dict[str, list[str]]:
        """The ids of each day that has any."""
        found: dict[str, list[str]] = {}
        for row in self.rows(table):
            found.setdefault(row["_partition_key"], []).append(row["id"])
        return {day: sorted(of_day) for day, of_day in found.items()}

    def items(self, table: str = "search") -> dict[tuple[str, str], Row]:
        """What `item_from_row` makes of every row, by collection and id."""
        found = self.rows(table)
        by_id = {(row["collection"], row["id"]): item_from_row(row) for row in found}
        assert len(by_id) == len(found), "the table holds an item twice"
        return by_id

    def files(self, below: str = "") -> list[str]:
        """The paths of all files in a directory of the dataset."""
        with self._local(f"{DATASET}/{below}".rstrip("/")) as folder:
            return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    @staticmethod
    def _by_duckdb(folder: Path) -> list[Row]:
        if not list(folder.rglob("*.parquet")):
            return []
        with duckdb.connect() as connection:
            source = (
                f"read_parquet('{folder}/**/*.parquet', union_by_name = true, hive_types_autocast = false)"
            )
            table = connection.execute(f"SELECT * FROM {source}").to_arrow_table()
        return in_order(table)

    @contextmanager
    def _local(self, below: str) -> Iterator[Path]:
        """A folder of the lake, or what a bucket holds in it, fetched by Amazon's own client."""
        if self.s3 is None:
            yield Path(self.url.removeprefix("file://")) / below
            return
        bucket = self.url.removeprefix("s3://")
        with TemporaryDirectory() as copy:
            client = self.s3.client()
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{below}/"):
                for each in page.get("Contents", ()):
                    path = Path(copy) / each["Key"]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    client.download_file(bucket, each["Key"], str(path))
            yield Path(copy) / below

    def copy(self, folder: Path) -> None:
        """Copy the whole dataset to a local folder."""
        with self._local(DATASET) as found:
            shutil.copytree(found, folder)


def in_order(table: pa.Table) -> list[Row]:
    """The rows in an order that does not depend on the load that wrote them."""
    names = sorted({*table.column_names} - {"_dlt_load_id"})
    return sorted(table.to_pylist(), key=lambda row: [repr(row[name]) for name in names])


def core(found: list[Row]) -> list[dict[str, Any]]:
    """The rows without the load that wrote them, and without empty cells, which a format may not have."""
    return [
        {name: cell for name, cell in row.items() if cell is not None and name != "_dlt_load_id"}
        for row in found
    ]


def configured(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """`lake`, once the project's loads go there."""
    monkeypatch.setenv("PIPELINE__DESTINATION", "filesystem")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", lake.url)
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__TABLE_FORMAT", lake.table_format)
    for name, value in (lake.s3.environment() if lake.s3 else {}).items():
        monkeypatch.setenv(name, value)
    return lake
