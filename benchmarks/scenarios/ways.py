"""Ours beside its peers: the whole of one collection, fetched and stored."""

from typing import Any

from benchmarks.bench import Bench, Way
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.results import Line
from benchmarks.sizes import PAGE_SIZE


def large(bench: Bench) -> None:
    """Items of 17 KB, and how large the DuckDB file becomes."""
    catalog = Catalog("large", bench.sizes.large, _days(bench.sizes.large, bench.sizes.per_day))
    ours, rustac, _, dictionaries, _ = _compare(bench, catalog, "17 KB")
    if bench.sizes.generated:
        _generated(bench, bench.sizes.generated)
    bench.judge("1", "ours / rustac, 17 KB (6 × is the least)", _faster(ours, rustac), 8, at_least=True)
    bench.judge("1", "ours / pystac-client, 17 KB", _faster(ours, dictionaries), 1, at_least=True)
    share = ours.figure("file_bytes") / catalog.json_bytes()
    bench.judge("6", f"DuckDB file / JSON, {catalog.items:,} items", share, 0.35)


def small(bench: Bench) -> None:
    """Items of 3 KB."""
    catalog = Catalog("small", bench.sizes.small, _days(bench.sizes.small, bench.sizes.per_day))
    ours, rustac, *_ = _compare(bench, catalog, "3 KB")
    bench.judge("1", "ours / rustac, 3 KB", _faster(ours, rustac), 3, at_least=True)


def of(server: ReplayServer) -> dict[str, Any]:
    """The arguments by which every task knows a catalog."""
    return {"url": server.url, "collection": server.catalog.collection, "items": server.catalog.items}


def ours_of(server: ReplayServer, **settings: Any) -> dict[str, Any]:
    """The arguments of a load of ours."""
    return {**of(server), "last_day": server.catalog.last_day.isoformat(), **settings}


def cost_of_a_setting(
    bench: Bench, scenario: str, target: str, setting: str, values: tuple[Any, Any], named: str, most: float
) -> None:
    """Items of 17 KB by two values of a setting in turn: what a load and its file take more with the second.

    Args:
        bench: measures.
        scenario: its name.
        target: its number.
        setting: the setting's name.
        values: without what costs, and with it.
        named: what costs.
        most: as many times as much it may take.
    """
    items = bench.sizes.large
    with ReplayServer(Catalog("large", items, _days(items, bench.sizes.per_day))) as server:
        given = ours_of(server, page_size=PAGE_SIZE)
        ways: list[Way] = [
            (f"`{setting} = {str(value).lower()}`", "ours:load_days", {**given, setting: value}, items)
            for value in values
        ]
        without, with_it = bench.compare(scenario, ways)
    for what, more in (
        ("time", with_it.seconds / without.seconds),
        ("CPU time", with_it.figure("cpu_seconds") / without.figure("cpu_seconds")),
        ("file", with_it.figure("file_bytes") / without.figure("file_bytes")),
    ):
        bench.judge(target, f"{what} with / without {named}, {items:,} items", more, most)


def _compare(bench: Bench, catalog: Catalog, size: str) -> list[Line]:
    with ReplayServer(catalog) as server:
        ours = ours_of(server, page_size=PAGE_SIZE)
        return bench.compare(
            size,
            [
                ("ours to DuckDB, daily partitions", "ours:load_days", ours, catalog.items),
                ("rustac search_to Parquet", "peers:rustac", of(server), catalog.items),
                ("stac-geoparquet to Parquet", "peers:stac_geoparquet", of(server), catalog.items),
                ("pystac-client, dictionaries only", "peers:pystac_client", of(server), catalog.items),
                ("transfer alone (requests)", "peers:requests", of(server), catalog.items),
            ],
        )


def _generated(bench: Bench, items: int) -> None:
    catalog = Catalog("large", items, 1)
    with ReplayServer(catalog) as server:
        bench.compare(
            "17 KB", [("generated dlt REST pipeline", "peers:generated_dlt", of(server), catalog.items)]
        )


def _faster(ours: Line, peer: Line) -> float:
    return peer.seconds / ours.seconds


def _days(items: int, per_day: int) -> int:
    return max(1, items // per_day)
