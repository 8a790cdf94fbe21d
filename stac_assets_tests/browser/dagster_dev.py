"""A real `dagster dev` in a project folder, with the UI, the daemon and the code server that belong to it.

with DagsterDev(folder, SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL=api.url) as dagster:
    run_id = dagster.launch("search", "c1|2024-01-01")
    assert dagster.ended(run_id) == "SUCCESS"
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests

from stac_assets_tests.conftest import CONFIGURING, REPOSITORY, make_project

T = TypeVar("T")

HOST = "127.0.0.1"
PATIENCE = 120.0
"""Seconds for what takes a few on an idle machine."""
GRACE = 30.0
"""Seconds in which `dagster dev` is to end by itself; it waits up to 15 s for each of its two children."""
PARTITION_TAG = "dagster/partition"
_BACKFILL_FAILED = {"COMPLETED_FAILED", "FAILED", "CANCELED"}
OVER = {"SUCCESS", "FAILURE", "CANCELED"}
# SIGINT is ignored in what a shell starts in the background, and that would be inherited; and when the tests
# themselves are killed, nobody else would end it.
INTERRUPTIBLE = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
signal.signal(signal.SIGINT, signal.SIG_DFL)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""

LAUNCH_BACKFILL = """
mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
} }
"""
_BACKFILL_STATUS = """
query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }
"""
_LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError {
    __typename
    ... on RepositoryLocation { name repositories { name } }
    ... on PythonError { message }
} } } } }
"""
_LAUNCH = """
mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
} }
"""
_RUNS = """
query ($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
    runId status tags { key value }
} } } }
"""


class DagsterDev:
    """Starts on entering, ends on leaving the `with` block with everything that it started.

    Args:
        folder: the project folder, which gets the logs too.
        arguments: further ones of `dagster dev`.
        environment: further variables, such as settings of the source.
    """

    def __init__(self, folder: Path, arguments: Sequence[str] = (), **environment: str) -> None:
        self.folder = folder
        self.log = folder / "dagster-dev.log"
        self.selector: dict[str, str] = {}
        """What names the repository in many queries."""
        self.dagster = str(Path(sys.executable).with_name("dagster"))
        """The command, by default that of the environment in which the tests run."""
        self.port = free_port()
        self._arguments = arguments
        self._environment = {**bare_environment(folder), **environment}
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy for this machine

    @property
    def url(self) -> str:
        """The root of the UI, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        command = [self.dagster, "dev", "--host", HOST, "--port", str(self.port), *self._arguments]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", INTERRUPTIBLE, *command],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.selector = until(self._loaded, "the definitions to be loaded")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask `dagster dev` to end, and kill what is left of its process group."""
        self._process.send_signal(signal.SIGINT)
        see_ended(self._process)
        self._http.close()

    def graphql(self, query: str, **variables: Any) -> Any:
        """The only field of the answer to a query.

        Raises:
            AssertionError: the query has an error.
        """
        answer = self._http.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=PATIENCE
        ).json()
        assert not answer.get("errors"), answer["errors"]
        (found,) = answer["data"].values()
        return found

    def launch(self, asset: str, partition: str) -> str:
        """Materialize a partition, as the UI does it; the run's id."""
        params = {
            "selector": {
                **self.selector,
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": [asset]}],
            },
            "executionMetadata": {"tags": [{"key": PARTITION_TAG, "value": partition}]},
        }
        launched = self.graphql(_LAUNCH, params=params)
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def backfill(self, assets: Sequence[str], within: float = PATIENCE, **partitions: Any) -> str:
        """Materialize partitions of assets, as the UI does it, and see it succeed; the backfill's id.

        Args:
            assets: their keys, such as `search` or `dea/search`.
            within: seconds for all of it.
            partitions: the rest of `LaunchBackfillParams`, such as `partitionNames`.
        """
        params = {"assetSelection": [{"path": asset.split("/")} for asset in assets], **partitions}
        launched = self.graphql(LAUNCH_BACKFILL, params=params)
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        backfill = launched["backfillId"]

        def is_over() -> bool:
            status = self.graphql(_BACKFILL_STATUS, id=backfill)["status"]
            assert status not in _BACKFILL_FAILED, status
            return status == "COMPLETED_SUCCESS"

        until(is_over, "the backfill", within)
        return backfill

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        """The runs that fit a `RunsFilter`, the newest first: id, status and tags."""
        found = self.graphql(_RUNS, filter=filters)["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def run_of(self, partition: str, *besides: str) -> str:
        """The id of the run of a partition that is none of those; waits for it."""
        tag = {"key": PARTITION_TAG, "value": partition}
        (found,) = until(
            lambda: {run["runId"] for run in self.runs(tags=[tag])} - set(besides), f"a run of {partition}"
        )
        return found

    def status(self, run_id: str) -> str:
        (run,) = self.runs(runIds=[run_id])
        return run["status"]

    def ended(self, run_id: str, within: float = PATIENCE) -> str:
        """The status of a run that is over; waits for it."""
        return until(lambda: {self.status(run_id)} & OVER, f"the end of run {run_id}", within).pop()

    def _loaded(self) -> dict[str, str]:
        """The names of the code location and of the repository in it; nothing while it is being loaded."""
        assert self._process.poll() is None, self.log.read_text()
        try:
            entries = self.graphql(_LOCATIONS)["locationEntries"]
        except requests.ConnectionError:
            return {}
        if not entries or any(entry["loadStatus"] != "LOADED" for entry in entries):
            return {}
        (location,) = (entry["locationOrLoadError"] for entry in entries)
        assert location["__typename"] == "RepositoryLocation", location
        (repository,) = location["repositories"]
        return {"repositoryLocationName": location["name"], "repositoryName": repository["name"]}


def make_dagster_project(folder: Path) -> None:
    """A project folder with the files that a clone has for Dagster."""
    make_project(folder)
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, folder)


def until(found: Callable[[], T], what: str, within: float = PATIENCE) -> T:
    """What `found` returns as soon as that is true.

    Raises:
        TimeoutError: it is still not after so many seconds.
    """
    deadline = time.monotonic() + within
    while not (value := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within:g} s for {what}")
        time.sleep(0.2)
    return value


def see_ended(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a process that was asked to end, and kill what is left of the group that it leads."""
    try:
        process.wait(GRACE)
        until(lambda: not alive(process.pid), "the processes to end", 5)
    except (subprocess.TimeoutExpired, TimeoutError):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(GRACE)


def alive(group: int) -> list[str]:
    """The processes of a process group, as `ps` shows them; those that only wait to be reaped are not."""
    shown = subprocess.run(
        ["ps", "-A", "-o", "pgid=,stat=,pid=,args="], capture_output=True, text=True, check=True
    )
    lines = (line.split(None, 2) for line in shown.stdout.splitlines())
    return [what for owner, state, what in lines if owner == str(group) and not state.startswith("Z")]


def bare_environment(folder: Path) -> dict[str, str]:
    """The environment without settings of this project, of dlt or of Dagster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURING)}
    local = {"NO_PROXY": f"{HOST},localhost", "no_proxy": f"{HOST},localhost"}
    return {**kept, **local, "DLT_DATA_DIR": str(folder / ".dlt" / "data")}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]
