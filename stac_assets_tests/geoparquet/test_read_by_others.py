"""Exported files, read by others: each reader gets every item, and the libraries of STAC get the items as
they were, but for what the format loses (docs/geoparquet.md)."""

import asyncio
from typing import Any

import duckdb
import geopandas
import pyarrow.parquet as pq
import pytest
import rustac
import stac_geoparquet.arrow

from stac_assets_tests.geoparquet.conftest import Sample
from stac_assets_tests.geoparquet.exporting import SAMPLES, Document, by_id
from stac_assets_tests.geoparquet.readers import Readers, needs_readers

Samples = dict[str, Sample]
COUNTING = """
import rustac, sys
print(len(rustac.DuckdbClient(install_extensions=False).search(sys.argv[1])))
"""


def read_by_rustac(sample: Sample) -> list[Document]:
    async def read() -> Any:
        return await rustac.read(str(sample.file))

    return asyncio.run(read())["features"]


def read_by_stac_geoparquet(sample: Sample) -> list[Document]:
    return list(stac_geoparquet.arrow.stac_table_to_items(pq.read_table(sample.file)))


def assert_as_sent(read: list[Document], sample: Sample) -> None:
    """The items are those that were sent, but for a box that they lacked."""
    found, sent = by_id(read), by_id(sample.items)
    assert found.keys() == sent.keys() and len(read) == len(sample.items)
    for name, item in sent.items():
        if "bbox" not in item:
            del found[name]["bbox"]
        if len(item.get("bbox", ())) != len(found[name].get("bbox", ())):  # of a collection that has both
            item["bbox"] = [item["bbox"][place] for place in (0, 1, 3, 4)]
        assert found[name] == item


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="there are no recorded items in ../shared/stac-samples")
def test_at_least_ten_real_collections_are_read(samples: Samples) -> None:
    assert len(samples) > 10 and sum(not sample.has_map for sample in samples.values()) > 10


def test_rustac_reads_the_items_that_were_sent(samples: Samples) -> None:
    for sample in samples.values():
        assert_as_sent(read_by_rustac(sample), sample)


def test_stac_geoparquet_reads_the_items_that_were_sent(samples: Samples) -> None:
    for sample in (each for each in samples.values() if not each.has_map):
        assert_as_sent(read_by_stac_geoparquet(sample), sample)


def test_geopandas_reads_geometries_with_their_system(samples: Samples) -> None:
    for sample in samples.values():
        frame = geopandas.read_parquet(sample.file)
        assert sorted(frame["id"]) == sorted(item["id"] for item in sample.items)
        assert frame.crs == "OGC:CRS84" and frame.geometry.notna().all()
        west, south, east, north = frame.total_bounds
        some = geopandas.read_parquet(sample.file, bbox=(west, south, (west + east) / 2, north))
        assert 0 < len(some) <= len(frame)


def test_duckdb_reads_geometries_without_an_extension(samples: Samples) -> None:
    for sample in samples.values():
        count, kind, first = duckdb.sql(
            f"SELECT count(*), any_value(typeof(geometry)), min(datetime) FROM '{sample.file}'"
        ).fetchone() or (0, "", None)
        assert count == len(sample.items) and kind == "GEOMETRY('OGC:CRS84')"
        assert first is None or first.tzinfo is not None


@needs_readers
def test_gpio_finds_no_fault(samples: Samples, readers: Readers) -> None:
    """But with what providers say of places beyond 180 degrees."""
    for sample in samples.values():
        west, south, east, north = geopandas.read_parquet(sample.file).total_bounds
        done = readers.run("gpio", "check", "all", str(sample.file))
        if west >= -180 and east <= 180 and south >= -90 and north <= 90:
            assert "✗" not in done.stdout and done.returncode == 0, done.stdout
        else:
            spec = readers.run("gpio", "check", "spec", str(sample.file)).stdout
            (fault,) = [line for line in spec.splitlines() if "✗" in line]
            assert "coordinates outside valid range" in fault


@needs_readers
def test_rustacs_duckdb_finds_the_items(samples: Samples, readers: Readers) -> None:
    for sample in samples.values():
        done = readers.run("python", "-c", COUNTING, str(sample.file))
        assert done.stdout.strip() == str(len(sample.items)), done.stderr
