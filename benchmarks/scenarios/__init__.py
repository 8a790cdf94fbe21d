"""The scenarios, by name and in the order in which they are run."""

from collections.abc import Callable

from benchmarks.bench import Bench
from benchmarks.scenarios.catalog import catalog
from benchmarks.scenarios.changes import changes
from benchmarks.scenarios.concurrency import concurrency
from benchmarks.scenarios.destinations import destinations, growing
from benchmarks.scenarios.explore import explore
from benchmarks.scenarios.export import export
from benchmarks.scenarios.geometry import geometry
from benchmarks.scenarios.growth import linearity, reloads
from benchmarks.scenarios.imports import imports
from benchmarks.scenarios.many_catalogs import many_catalogs
from benchmarks.scenarios.memory import memory
from benchmarks.scenarios.ways import large, small
from benchmarks.scenarios.year import year

SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "large": large,
    "small": small,
    "memory": memory,
    "concurrency": concurrency,
    "year": year,
    "catalog": catalog,
    "many_catalogs": many_catalogs,
    "reloads": reloads,
    "linearity": linearity,
    "destinations": destinations,
    "growth": growing,
    "geometry": geometry,
    "export": export,
    "changes": changes,
    "explore": explore,
    "imports": imports,
}
