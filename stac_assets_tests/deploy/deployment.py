"""What `deploy/` describes, in processes and not containers: code server, daemon, webserver, run workers.

with Deployment(folder, postgres_url, **settings) as dagster:
    backfill = dagster.launch_backfill("search", ["c1|2024-01-01"])
    assert dagster.backfill_ended(backfill) == "COMPLETED_SUCCESS"
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import dagster as dg
from dagster._grpc.client import DagsterGrpcClient

from stac_assets_tests.browser.dagster_dev import (
    HOST,
    INTERRUPTIBLE,
    LAUNCH_BACKFILL,
    DagsterDev,
    bare_environment,
    free_port,
    see_ended,
    until,
)
from stac_assets_tests.conftest import REPOSITORY

DEPLOY = REPOSITORY / "deploy"

_STATUS = """
query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status error { message } }
} }
"""
OVER = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}


class Deployment(DagsterDev):
    """Starts on entering, ends on leaving the `with` block with everything that it started.

    Args:
        folder: the project folder of the code location, and of the logs.
        storage: URL of the PostgreSQL database of Dagster's storage.
        environment: further variables, such as settings of the source.
    """

    def __init__(self, folder: Path, storage: str, **environment: str) -> None:
        super().__init__(folder)
        self.home = folder.parent / "dagster-home"
        self.home.mkdir()
        shutil.copy(DEPLOY / "dagster.yaml", self.home)
        self._code_port = free_port()
        self._environment = {
            **bare_environment(folder),
            **environment,
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_LOGS": str(self.home / "logs"),
            "DAGSTER_POSTGRES_URL": storage,
            "DAGSTER_CODE_HOST": HOST,
            "DAGSTER_CODE_PORT": str(self._code_port),
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Deployment":
        workspace = ["--workspace", str(DEPLOY / "workspace.yaml")]
        try:
            with self.instance():
                pass  # Dagster fails where several processes make its tables at once
            module = ["--host", HOST, "--module-name", "stac_assets.definitions"]
            self._start("dagster", "code-server", "start", "--port", str(self._code_port), *module)
            until(self._serves_code, "the code server")
            self._process = self._start(
                "dagster-webserver", "--host", HOST, "--port", str(self.port), *workspace
            )
            self._start("dagster-daemon", "run", *workspace)
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
        """Ask all processes to end, and kill what is left of them."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            see_ended(process)
        self._http.close()

    def instance(self) -> dg.DagsterInstance:
        """Dagster's instance, as the processes have it."""
        os.environ.update({n: v for n, v in self._environment.items() if n.startswith("DAGSTER_")})
        return dg.DagsterInstance.from_config(str(self.home))

    def launch_backfill(self, asset: str, partitions: Sequence[str]) -> str:
        """Launch a backfill, as the UI does it; its id."""
        params = {"assetSelection": [{"path": [asset]}], "partitionNames": list(partitions)}
        launched = self.graphql(LAUNCH_BACKFILL, params=params)
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def backfill_ended(self, backfill: str, within: float) -> str:
        """The status of a backfill that is over; waits for it."""

        def status() -> Any:
            found = self.graphql(_STATUS, id=backfill)
            return {found["status"]} & OVER

        return until(status, f"the end of backfill {backfill}", within).pop()

    def _serves_code(self) -> bool:
        client = DagsterGrpcClient(port=self._code_port, host=HOST)
        return client.health_check_query() == "SERVING"

    def _start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [str(Path(sys.executable).with_name(name)), *arguments]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", INTERRUPTIBLE, *command],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return process
