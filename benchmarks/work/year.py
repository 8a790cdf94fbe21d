"""A year of daily partitions in one Dagster run, with history on disk as in a project folder."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.clock import Clock
from benchmarks.replay.catalog import FIRST_DAY
from benchmarks.work.ours import check_table
from stac_assets.definitions import build_definitions
from stac_assets.settings import read_settings


def materialize(clock: Clock, *, url: str, collection: str, items: int, days: int) -> dict[str, Any]:
    """Materialize `search` for so many days in one run; everything but fetching and storing is overhead."""
    last = FIRST_DAY + timedelta(days=days - 1)
    settings = read_settings(
        base_url=url, collections=[collection], start_date=FIRST_DAY.isoformat(), end_date=last.isoformat()
    )
    with dg.DagsterInstance.from_config(str(Path.cwd())) as instance:
        assert not instance.is_ephemeral
        with clock:
            job = build_definitions(settings).resolve_implicit_global_asset_job_def()
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey("search")],
                tags={
                    "dagster/asset_partition_range_start": f"{collection}|{FIRST_DAY}",
                    "dagster/asset_partition_range_end": f"{collection}|{last}",
                },
            )
        runs = instance.get_runs_count()
    assert result.success and runs == 1
    told: dict[str | None, dict[str, Any]] = {
        event.partition: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }
    assert len(told) == days, f"{len(told)} partitions are told of, expected {days}"
    assert sum(metadata["items"] for metadata in told.values()) == items
    check_table(items)
    run = told[f"{collection}|{last}"]
    fetch, store = run["run_seconds_fetching"], run["run_seconds_storing"]
    # halves that overlap take no longer than the whole of both
    working = min(fetch + store, run["run_seconds"])
    return {
        "fetch_seconds": fetch,
        "store_seconds": store,
        "overhead_seconds": clock.seconds - working,
        "overhead_share": (clock.seconds - working) / clock.seconds,
    }
