"""The demo, as `make demo` runs it: a real STAC API by others, nine assets through Dagster, tables."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from stac_assets.demo.catalog import COLLECTIONS
from stac_assets.stac.api import ENDPOINTS
from stac_assets_tests.loads import query


def demo(folder: Path, port: int) -> str:
    command = [
        sys.executable,
        "-m",
        "stac_assets.cli.main",
        "demo",
        "--folder",
        str(folder),
        "--port",
        str(port),
    ]
    environment = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run(
        command, cwd=folder.parent, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_loads_everything_and_a_second_one_changes_no_row(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path / ".demo"
    first = demo(folder, port)
    for name in ENDPOINTS:
        assert re.search(rf"pystac_client_data\.{name} .*first run", first)
    assert "How cloudy" in first and "make ui" in first
    counts = query(
        "SELECT collection, count(*) AS items FROM pystac_client_data.search GROUP BY ALL",
        folder / "pystac_client.duckdb",
    )
    assert {row["collection"] for row in counts} == set(COLLECTIONS)
    assert sum(row["items"] for row in counts) >= 3000
    assert [path.name for path in tmp_path.iterdir()] == [".demo"]
    second = demo(folder, port)
    assert second.count("no row changed") == len(ENDPOINTS)
