"""How much each scenario loads, in the full form and in the quick one."""

from dataclasses import dataclass

PAGE_SIZE = 250
"""Items that all ask for at a time where they are compared."""


@dataclass(frozen=True)
class Sizes:
    """Numbers of items, days and windows; the targets hold for `FULL`."""

    large: int = 20_000
    small: int = 20_000
    generated: int | None = 250
    """Items of the generated dlt pipeline, which is too slow for more; ten seconds for a single one."""
    per_day: int = 1_000
    memory: tuple[int, int] = (5_000, 100_000)
    windows: int = 64
    per_window: int = 110
    """More than half a page, so that no two windows are asked for together."""
    window_pages: tuple[tuple[int, int], ...] = ((1, 200), (5, 25))
    """How many pages a window has, and items a page; the item of the next midnight is within a window too."""
    concurrency: tuple[int, ...] = (1, 4, 8)
    latency: float = 0.2
    """Seconds that each request takes where concurrency is measured."""
    days: int = 366
    """Partitions of a year."""
    year: tuple[int, ...] = (1_464, 100_000)
    """Items of the years: four a day, and the number that the target is for."""
    tables: tuple[int, int] = (10_000, 1_000_000)
    day: int = 100
    """Items of the day that is loaded again."""
    loads: tuple[int, ...] = (1_000, 10_000, 50_000, 200_000)
    stored: int = 5_000
    """Items of 17 KB that each destination stores."""
    grown: tuple[int, ...] = (10_000, 1_000_000, 3_000_000)
    """Rows of the tables of each destination in which a day is loaded again."""
    catalog: tuple[int, int] = (140, 6_000)
    """Collections and items of the catalog of all years."""
    backfill_end: str = "2025-12-31"
    """The last day of the backfill: there are fewer years than collections, so that each year is a run."""
    queried: int = 1_000_000
    """Rows of the tables that are asked for a box."""
    many_catalogs: tuple[int, int] = (10, 10)
    """Catalogs, and how many of them have a full history."""
    imports: int = 7


FULL = Sizes()
QUICK = Sizes(
    large=2_000,
    small=3_000,
    generated=None,
    per_day=250,
    memory=(1_000, 4_000),
    windows=32,
    window_pages=((1, 200),),
    concurrency=(1, 4),
    days=31,
    year=(1_500,),
    tables=(1_000, 20_000),
    day=50,
    loads=(500, 3_000),
    stored=500,
    grown=(1_000, 5_000),
    catalog=(20, 500),
    backfill_end="1955-12-31",
    queried=50_000,
    many_catalogs=(2, 1),
    imports=2,
)
