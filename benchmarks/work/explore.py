"""What each view of the notebook takes, of a table that has all its rows in one collection."""

import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any

import psycopg2

from benchmarks.clock import Clock
from benchmarks.work.destinations import destined, load_whole
from stac_assets.cli.explore import notebook

VIEWS = {
    "collections by month": ("count_by_month", "heat_map"),
    "items per day": ("count_by_day", "calendar"),
    "footprints": ("map_of_footprints",),
    "properties": ("choose_properties", "histograms"),
    "newest items": ("newest_items",),
    "last changes": ("read_changes", "last_changes"),
}
"""The cells of each view, which are run as the page runs them."""
BEFORE = ("choose_catalog", "open_tables", "choose_collection")
TIMES = 5


def views(
    clock: Clock, *, url: str, collection: str, last_day: str, items: int, to: Mapping[str, str]
) -> dict[str, Any]:
    """Load every daily partition in another process, and then show each view several times.

    Arguments are those of `destinations.reload_day`. The figures are the median and the most seconds of each
    view, without the first time, in which everything is imported.
    """
    with destined(url, collection, to):
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            process.submit(load_whole, url, collection, last_day, items).result()
        _vacuum(to)
        cells = _cells()
        taken: dict[str, list[float]] = {view: [] for view in VIEWS}
        known: dict[str, Any] = {}
        with clock:
            for _ in range(TIMES + 1):
                known = {}
                for view, names in {**{name: (name,) for name in BEFORE}, **VIEWS}.items():
                    began = perf_counter()
                    for name in names:
                        _show(cells, name, known)
                    if view in taken:
                        taken[view].append(perf_counter() - began)
        assert int(known["days"]["items"].sum()) == items, "the page counts other rows"
    figures = {f"{view} seconds": median(times[1:]) for view, times in taken.items()}
    return {**figures, **{f"{view} most": max(times[1:]) for view, times in taken.items()}}


def _cells() -> Any:
    """The notebook as a module, whose cells have names."""
    spec = spec_from_file_location("explore_notebook", notebook())
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _show(cells: Any, name: str, known: dict[str, Any]) -> None:
    """Run a cell with what others have made; one that must be run before them is."""
    cell = getattr(cells, name)
    for needed in BEFORE:
        lacking = [ref for ref in cell.refs if ref in getattr(cells, needed).defs and ref not in known]
        if lacking and needed != name:
            _show(cells, needed, known)
    output, made = cell.run(**{ref: known[ref] for ref in cell.refs if ref in known})
    known.update(made)
    if hasattr(output, "_mime_"):
        output._mime_()  # as the page has it


def _vacuum(to: Mapping[str, str]) -> None:
    """What PostgreSQL does by itself within minutes of a load."""
    if "PGHOST" in to:
        with closing(psycopg2.connect(os.environ["DESTINATION__POSTGRES__CREDENTIALS"])) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
