"""Several requests at a time to an API that takes its time, and never more than allowed."""

from typing import Any

from benchmarks.bench import Bench
from benchmarks.measure import TaskFailed
from benchmarks.replay.catalog import Catalog
from benchmarks.replay.process import ReplayServer
from benchmarks.results import Line
from benchmarks.scenarios.ways import ours_of

REQUESTS_PER_SECOND = 20


def concurrency(bench: Bench) -> None:
    """Daily windows, of one page each and of several; what the server counts must keep to the limits."""
    sizes = bench.sizes
    catalog = Catalog("small", sizes.windows * sizes.per_window, sizes.windows)
    with ReplayServer(catalog, sizes.latency) as server:
        for pages, page_size in sizes.window_pages:
            _windows(bench, server, pages, page_size)
        _measured(
            bench,
            server,
            f"{catalog.days} windows",
            f"8 at a time, {REQUESTS_PER_SECOND} a second",
            sizes.window_pages[0][1],
            max_concurrent_requests=8,
            requests_per_second=REQUESTS_PER_SECOND,
        )


def _windows(bench: Bench, server: ReplayServer, pages: int, page_size: int) -> None:
    """Several requests at a time beside one at a time, where each window comes in so many pages."""
    windows = "windows" if pages == 1 else f"windows of {pages} pages"
    lines = {
        limit: _measured(
            bench,
            server,
            f"{server.catalog.days} {windows}",
            f"{limit} at a time",
            page_size,
            max_concurrent_requests=limit,
        )
        for limit in bench.sizes.concurrency
    }
    one = lines.pop(1)
    for limit, line in lines.items():
        faster = one.figure("fetch_seconds") / line.figure("fetch_seconds")
        what = f"{limit} at a time / 1, {windows}"
        bench.judge("3", f"fetch, {what}", faster, 0.8 * limit, at_least=True)
        bench.judge("3", f"whole load, {what}", one.seconds / line.seconds, 0.8 * limit, at_least=True)


def _measured(
    bench: Bench, server: ReplayServer, scenario: str, what: str, page_size: int, **limits: Any
) -> Line:
    """Measure, and prove after each run that what the server counted is within the limits."""
    (line,) = bench.compare(
        scenario,
        [(what, "ours:load_days", ours_of(server, page_size=page_size, **limits), server.catalog.items)],
        before=server.reset,
        after=lambda: _prove(server.counted(), **limits),
    )
    return line


def _prove(
    counted: dict[str, float], max_concurrent_requests: int, requests_per_second: float | None = None
) -> str:
    at_once, in_second = counted["most_at_once"], counted["peak_second"]
    note = f"{counted['requests']:.0f} requests, at most {at_once:.0f} at once, {in_second:.0f} in a second"
    if at_once > max_concurrent_requests:
        raise TaskFailed(f"max_concurrent_requests is {max_concurrent_requests}, but: {note}")
    if requests_per_second is not None:
        mean = (counted["requests"] - 1) / max(counted["seconds"], 1.0)
        # where the machine halts for a moment, those that were sent in time arrive in the next ones' second
        if in_second > requests_per_second + max_concurrent_requests or mean > requests_per_second:
            raise TaskFailed(
                f"requests_per_second is {requests_per_second}, but: {note}; {mean:.1f} on average"
            )
    return note
