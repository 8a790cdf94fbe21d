"""A whole catalog, all its years: its cost follows the items, and not the partitions."""

from benchmarks.bench import Bench
from benchmarks.clock import MB
from benchmarks.replay.pgstac import ASSETS, command
from benchmarks.replay.process import ServerProcess
from stac_assets_tests.many_years import END, START, ManyYears, json_bytes, owner


def catalog(bench: Bench) -> None:
    """Each year of each collection is a partition: a load of all, counted or not, and the backfill."""
    whole = ManyYears(*bench.sizes.catalog, assets=ASSETS)
    documents = list(whole.documents())
    size = json_bytes(documents)
    what = f"{whole.collections} collections × {int(END[:4]) - int(START[:4]) + 1} years"
    for is_counted in (False, True):
        told = "counted" if is_counted else "not counted"
        with ServerProcess(command(whole, is_counted=is_counted)) as server:
            arguments = {"url": server.url, "items": whole.items}
            (line,) = bench.compare(
                "catalog", [(f"{what}, {told}", "catalog:load_all", arguments, whole.items)]
            )
        beside = (line.figure("requests") - line.figure("pages")) / whole.collections
        bench.judge("8", f"requests a collection beside its pages, {told}", beside, 3, unit="requests")
        bench.judge("8", f"memory, {told}", line.peak_mb, 1_000, unit="MB")
        bench.judge("8", f"DuckDB file / JSON, {told}", line.figure("file_bytes") / size, 0.2)
    end = bench.sizes.backfill_end
    past = sum(1 for document in documents if owner(document).partition("|")[2] <= end)
    with ServerProcess(command(whole, is_counted=False)) as server:
        arguments = {"url": server.url, "items": past, "end": end}
        way = ("backfill, a run of each year", "catalog:backfill", arguments, past)
        (line,) = bench.compare("catalog", [way], repeat=1)
    bench.judge("9", "requests of the backfill", line.figure("requests"), 1_500, unit="requests")
    bench.judge("9", "backfill", line.seconds, 360, unit="s")
    bench.judge("9", "history of the backfill", line.figure("history_bytes") / MB, 300, unit="MB")
