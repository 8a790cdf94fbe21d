"""`requests_per_second` holds for all processes of a machine together, by the times that the API recorded."""

import subprocess
import sys
import time
from bisect import bisect_left
from pathlib import Path

from stac_assets_tests.commanding import environment
from stac_assets_tests.stac_api import StacApi

PROCESSES = 2
EACH = 12
LIMIT = 8.0


def ask(api: StacApi, limit: float, project: Path) -> "subprocess.Popen[str]":
    """A process that is ready to ask."""
    return subprocess.Popen(
        [sys.executable, "-m", "stac_assets_tests.concurrency.pace", api.url, str(EACH), str(limit)],
        cwd=project,
        env=environment(api),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def most_in_a_second(times: list[float]) -> int:
    """The most requests of any second that begins with one of them."""
    return max(bisect_left(times, begun + 1.0) - index for index, begun in enumerate(times))


def recorded(api: StacApi, project: Path) -> tuple[float, list[float]]:
    """When the processes were let go, and when the API got each of their requests."""
    asking = [ask(api, LIMIT, project) for _ in range(PROCESSES)]
    for process in asking:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    let_go = time.monotonic()
    for process in asking:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in asking:
        assert process.communicate(timeout=120)[0] and process.returncode == 0
    return let_go, sorted(request.time for request in api.requests)


def test_processes_share_a_limit(api: StacApi, project: Path) -> None:
    let_go, times = recorded(api, project)
    assert len(times) == PROCESSES * EACH
    # However slow the machine is, no request is early; but one of each process may be late, and count with
    # those of the next second.
    assert times[-1] - let_go >= (len(times) - 1) / LIMIT
    assert most_in_a_second(times) <= LIMIT + PROCESSES
