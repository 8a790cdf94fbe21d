"""Heavy items, and many documents that no table can hold: a load of them takes no more than 800 MB."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stac_assets_tests.forked import Forker
from stac_assets_tests.loads import load_days
from stac_assets_tests.soak.heavy_api import Heavy, serving

MB = 1_000_000


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    with Forker() as server:
        yield server


def load_measured(url: str, last: str) -> dict[str, int]:
    """Load some days, inspected as in Dagster; what came, and the most memory that it took."""
    result = load_days(url, last=last, page_size=200, max_concurrent_requests=4, inspected=True)
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    figures = result.figures
    return {"items": figures.items, "rejected": figures.rejected_items, "bytes": peak}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it tells the peak on Linux alone")
@pytest.mark.parametrize(
    ("destination", "heavy", "most"),
    [
        ("filesystem", Heavy(days=8, per_day=200, size=300_000), 800),
        ("filesystem", Heavy(days=4, per_day=2_500, size=17_000, is_bad=True), 800),
        ("duckdb", Heavy(days=8, per_day=200, size=300_000), 800),
        # 781 MB alone; where tests run beside it, the allocator keeps up to 25 MB more
        ("duckdb", Heavy(days=9, per_day=240, size=300_000), 830),
        ("duckdb", Heavy(days=4, per_day=2_500, size=3_000, is_bad=True), 600),
    ],
)
def test_memory(
    project: Path,
    forker: Forker,
    monkeypatch: pytest.MonkeyPatch,
    destination: str,
    heavy: Heavy,
    most: int,
) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", destination)
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (project / "lake").as_uri())
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__TABLE_FORMAT", "parquet")
    with serving(heavy) as url:
        for days in (heavy.days, 1):  # all of them, and then the first day again
            ended = forker.run(load_measured, url=url, last=f"2024-01-0{days}")
            assert ended.status == 0, ended.raised
            assert ended.returned["rejected" if heavy.is_bad else "items"] == days * heavy.per_day
            assert ended.returned["bytes"] < most * MB, f"{ended.returned['bytes'] / MB:.0f} MB"
