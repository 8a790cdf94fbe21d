"""The materializations of the demo: all nine assets, for several collections and dates, through Dagster."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import dagster as dg
from rich.console import Console

from stac_assets.demo.catalog import COLLECTIONS, FIRST_DAY, LAST_DAY
from stac_assets.orchestration.assets import build_assets
from stac_assets.orchestration.loading import StacLoader
from stac_assets.orchestration.partitions import range_tags
from stac_assets.settings import read_settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Step:
    """Assets to materialize in one run, and between which partition keys."""

    assets: Sequence[str]
    first: str | None = None
    last: str | None = None

    @property
    def label(self) -> str:
        return self.assets[0] if len(self.assets) == 1 else f"{self.assets[0]} … {self.assets[-1]}"

    @property
    def tags(self) -> dict[str, str]:
        if self.first is None or self.last is None:
            return {}
        return range_tags(self.first, self.last)


def _days(asset: str, first: date, last: date, collections: Sequence[str] = COLLECTIONS) -> Step:
    return Step([asset], f"{collections[0]}|{first}", f"{collections[-1]}|{last}")


STEPS = (
    Step(["client_root", "conformance", "landing_pages", "collections", "queryables"]),
    Step(["collection"], COLLECTIONS[0], COLLECTIONS[-1]),
    _days("search", FIRST_DAY, LAST_DAY),
    _days("collection_items", FIRST_DAY, FIRST_DAY + timedelta(days=6)),
    _days("item", FIRST_DAY, FIRST_DAY + timedelta(days=1), COLLECTIONS[:1]),
)


def materialize_all() -> bool:
    """Run every step with a line for each; False where one failed, with its error."""
    console = Console()
    assets = build_assets(read_settings())
    with dg.DagsterInstance.get() as instance:
        for step in STEPS:
            names = step.label
            started = time.monotonic()
            with console.status(f"materializing {names} …"):
                result = dg.materialize(
                    assets,
                    selection=list(step.assets),
                    instance=instance,
                    resources={"dlt": StacLoader()},
                    run_config=QUIET,
                    tags=step.tags,
                    raise_on_error=False,
                )
            seconds = time.monotonic() - started
            if not result.success:
                console.print(f"[red]✗[/] {names}")
                for event in result.get_step_failure_events():
                    error = event.step_failure_data.error
                    console.print(str(error.cause or error) if error else "failed", markup=False)
                return False
            console.print(f"[green]✓[/] {names:<26} {_told(result)}  {seconds:4.1f} s")
    return True


def _told(result: dg.ExecuteInProcessResult) -> str:
    events = result.get_asset_materialization_events()
    rows = sum(_value(event, "items") or _value(event, "rows") or 0 for event in events)
    partitions = sum(event.partition is not None for event in events)
    return f"{rows:>6} rows" + (f" in {partitions:>3} partitions" if partitions else " " * 18)


def _value(event: dg.DagsterEvent, name: str) -> int | None:
    found = event.materialization.metadata.get(name)
    return found.value if found is not None else None  # type: ignore[return-value]
