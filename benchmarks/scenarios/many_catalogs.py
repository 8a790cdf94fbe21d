"""Many catalogs side by side: their definitions, the code server, and the pages of a full history."""

from benchmarks.bench import Bench


def many_catalogs(bench: Bench) -> None:
    """Definitions against as many assets of Dagster's alone, and the answers that the UI waits for."""
    catalogs, full = bench.sizes.many_catalogs
    arguments = {"catalogs": catalogs}
    plain, ours = bench.compare(
        "many catalogs",
        [
            (f"{10 * catalogs} assets of Dagster alone", "many_catalogs:plain", arguments, None),
            (f"definitions of {catalogs} catalogs", "many_catalogs:ours", arguments, None),
        ],
    )
    what = f"asked of {catalogs} catalogs × 140 collections, `search` of {full} full"
    way = (what, "many_catalogs:pages", {"catalogs": catalogs, "full": full}, None)
    (line,) = bench.compare("many catalogs", [way], repeat=1)
    # on an idle machine they are the same; where others work too, only the second tells of the definitions
    bench.judge("10", "definitions beside Dagster's own", ours.seconds - plain.seconds, 3, unit="s")
    more = ours.figure("cpu_seconds") - plain.figure("cpu_seconds")
    bench.judge("10", "definitions beside Dagster's own, CPU", more, 3, unit="s")
    bench.judge("10", "code server", line.figure("code_server_mb"), 500, unit="MB")
    for page, of in (
        ("asset", "four assets as the graph and their pages show them"),
        ("health", "health of four assets"),
        ("partitions", "partitions of an asset"),
    ):
        bench.judge("10", f"{of}, first answer", line.figure(f"{page}_first"), 2, unit="s")
        bench.judge("10", f"{of}, slower of two more", line.figure(f"{page}_seconds"), 2, unit="s")
    bench.judge("10", "a tick of backfill_sensor", line.figure("tick_seconds"), 2, unit="s")
