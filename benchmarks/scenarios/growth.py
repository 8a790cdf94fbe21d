"""Cost as tables and loads grow."""

from benchmarks.bench import Bench
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.results import Line
from benchmarks.scenarios.ways import ours_of

LINEAR = 1.2
"""How much more the items of a larger load may take, each, and still count as linear."""


def reloads(bench: Bench) -> None:
    """One day loaded again in a small table and in a large one."""
    few, many = bench.sizes.tables
    days = few // bench.sizes.day
    with ReplayServer(Catalog("tiny", few, days)) as server:
        short, long = bench.compare(
            "reload",
            [
                (
                    f"a day of {bench.sizes.day} items, {rows:,} rows",
                    "growth:reload_day",
                    {**ours_of(server), "days": days, "rows": rows},
                    bench.sizes.day,
                )
                for rows in (few, many)
            ],
        )
    bench.judge("5", f"a day of a table of {many:,} rows / {few:,}", long.seconds / short.seconds, 2)


def linearity(bench: Bench) -> None:
    """Loads of more and more items of 3 KB, as many a day in all of them."""
    lines = [_measured(bench, items) for items in bench.sizes.loads]
    first, *_, last = lines[-2:] if len(lines) < 3 else lines[1:]
    what = f"seconds per item, {last.items:,} / {first.items:,} items"
    bench.judge("5", what, _per_item(last) / _per_item(first), LINEAR)


def _measured(bench: Bench, items: int) -> Line:
    catalog = Catalog("small", items, max(1, items // bench.sizes.per_day))
    with ReplayServer(catalog) as server:
        what = f"ours, {items:,} items of 3 KB"
        (line,) = bench.compare("linearity", [(what, "ours:load_days", ours_of(server), items)])
    return line


def _per_item(line: Line) -> float:
    assert line.items
    return line.seconds / line.items
