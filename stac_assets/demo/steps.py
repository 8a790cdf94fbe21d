"""The materializations of the demo: all nine assets, for several collections and dates, through Dagster."""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import dagster as dg
from rich.console import Console

from stac_assets.demo.catalog import COLLECTIONS, FIRST_DAY, LAST_DAY

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Step(NamedTuple):
    """Assets to materialize in one run, and the first and last of their partitions."""

    assets: Sequence[str]
    partitions: tuple[str, str] | None = None

    @property
    def label(self) -> str:
        return " … ".join(dict.fromkeys((self.assets[0], self.assets[-1])))

    @property
    def tags(self) -> dict[str, str]:
        names = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        return dict(zip(names, self.partitions or (), strict=False))


def _days(asset: str, last: date, collections: Sequence[str] = COLLECTIONS) -> Step:
    return Step([asset], (f"{collections[0]}|{FIRST_DAY}", f"{collections[-1]}|{last}"))


STEPS = (
    Step(["client_root", "conformance", "landing_pages", "collections", "queryables"]),
    Step(["collection"], (COLLECTIONS[0], COLLECTIONS[-1])),
    _days("search", LAST_DAY),
    _days("collection_items", FIRST_DAY + timedelta(days=6)),
    _days("item", FIRST_DAY + timedelta(days=1), COLLECTIONS[:1]),
)


def materialize_all(definitions: dg.Definitions) -> bool:
    """Run every step with a line for each; False where one failed, with its error."""
    console = Console()
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.get() as instance:
        for step in STEPS:
            started = time.monotonic()
            with console.status(f"materializing {step.label} …"):
                result = job.execute_in_process(
                    run_config=_QUIET,
                    instance=instance,
                    asset_selection=[dg.AssetKey(name) for name in step.assets],
                    tags=step.tags,
                    raise_on_error=False,
                )
            seconds = time.monotonic() - started
            if not result.success:
                console.print(f"[red]✗[/] {step.label}")
                for event in result.get_step_failure_events():
                    error = event.step_failure_data.error
                    console.print(str(error.cause or error) if error else "failed", markup=False)
                return False
            console.print(f"[green]✓[/] {step.label:<26} {_told(result)}  {seconds:4.1f} s")
    return True


def _told(result: dg.ExecuteInProcessResult) -> str:
    events = result.get_asset_materialization_events()
    rows = sum(_value(event, "items") or _value(event, "rows") or 0 for event in events)
    partitions = sum(event.partition is not None for event in events)
    return f"{rows:>6} rows" + (f" in {partitions:>3} partitions" if partitions else " " * 18)


def _value(event: dg.DagsterEvent, name: str) -> Any:
    found = event.materialization.metadata.get(name)
    return found.value if found is not None else None
