"""Debian's PostgreSQL with PostGIS, for the time of the tests, on a port of 127.0.0.1."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stac_assets_tests.browser.dagster_dev import GRACE, free_port, until

POSTGRES_USER = "postgres"
"""PostgreSQL refuses to run as root; Debian's packages make this user."""
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=128MB")


def find_postgres() -> Path | None:
    """The newest PostgreSQL's folder of programs that has PostGIS beside it; None where there is none."""
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True):
        extension = Path("/usr/share/postgresql", programs.parent.name, "extension", "postgis.control")
        if extension.exists() and (programs / "initdb").exists():
            return programs
    return None


def _version(programs: Path) -> int:
    return int(programs.parent.name) if programs.parent.name.isdigit() else 0


@contextmanager
def postgres(programs: Path) -> Iterator[dict[str, str]]:
    """A server with an empty database; what is given are libpq's variables that lead to it."""
    port = str(free_port())
    # not below pytest's own folder, which other users may not enter
    with tempfile.TemporaryDirectory(prefix="stac-assets-pgstac-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, POSTGRES_USER)
        data, log = Path(folder, "data"), Path(folder, "log")
        make = ["--auth=trust", f"--username={POSTGRES_USER}", "--encoding=UTF8", "--no-locale", "--no-sync"]
        command = _as_postgres(programs / "initdb", "--pgdata", data, *make)
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)
        options = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", *_FAST)
        command = _as_postgres(
            programs / "postgres", "-D", data, *(w for each in options for w in ("-c", each))
        )
        with log.open("wb") as output:
            server = subprocess.Popen(
                command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            ready = [programs / "pg_isready", "--host", "127.0.0.1", "--port", port, "--quiet"]
            until(lambda: subprocess.run(ready).returncode == 0, "PostgreSQL")
            yield {
                "PGHOST": "127.0.0.1",
                "PGPORT": port,
                "PGUSER": POSTGRES_USER,
                "PGPASSWORD": "unused",
                "PGDATABASE": "postgres",
            }
        finally:
            server.send_signal(signal.SIGINT)  # it ends without waiting for those who are connected
            try:
                server.wait(GRACE)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)
                server.wait()


def _as_postgres(*command: str | Path) -> list[str | Path]:
    """A command by the user that PostgreSQL may run as, which ends with the process that starts it."""
    other = (
        ["--reuid", POSTGRES_USER, "--regid", POSTGRES_USER, "--clear-groups"] if os.geteuid() == 0 else []
    )
    return ["setpriv", *other, "--pdeathsig", "INT", "--", *command]
