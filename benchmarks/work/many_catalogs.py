"""Many catalogs in one Dagster: how long their definitions take, and what its pages ask of a full history."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.clock import MB, Clock
from benchmarks.work.dagster_queries import PAGES, SENSOR_TICK

COLLECTIONS, START = 140, "2015-01-01"
BATCH = 1_000
"""Events that are written at once."""


def configure(catalogs: int) -> list[str]:
    """Write the settings of so many catalogs into the project, and return their names."""
    names = [f"catalog_{number}" for number in range(catalogs)]
    section = "sources.pystac_client_source"
    lines = [f"[{section}]", 'granularity = "monthly"', f'start_date = "{START}"']
    for name in names:  # nobody is asked: the definitions name an API that is not there
        lines += [f"[{section}.catalogs.{name}]", f'base_url = "http://127.0.0.1:9/{name}"']
    Path(".dlt/config.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return names


def ours(clock: Clock, *, catalogs: int) -> dict[str, Any]:
    """Import and build our definitions, as a code server does."""
    configure(catalogs)
    started = time.process_time()
    with clock:
        import stac_assets.definitions

        assets = len(stac_assets.definitions.defs.get_repository_def().asset_graph.get_all_asset_keys())
    assert assets == 10 * catalogs
    return {"cpu_seconds": time.process_time() - started}


def plain(clock: Clock, *, catalogs: int) -> dict[str, Any]:
    """Import Dagster and build as many assets that do nothing, four in ten of them with such partitions."""
    started = time.process_time()
    with clock:
        import dagster as dg

        def made(name: str, key: str, partitions: Any) -> dg.AssetsDefinition:
            return dg.asset(key=[name, key], partitions_def=partitions, name=None)(lambda: None)

        assets: list[dg.AssetsDefinition] = []
        for number in range(catalogs):
            name = f"catalog_{number}"
            collections = dg.DynamicPartitionsDefinition(name=f"collections of {name}")
            dates = dg.MonthlyPartitionsDefinition(start_date=START)
            both = dg.MultiPartitionsDefinition({"collection": collections, "date": dates})
            kinds: list[Any] = [None] * 6 + [collections] + [both] * 3
            assets += [made(name, f"a{place}", kind) for place, kind in enumerate(kinds)]
        found = len(dg.Definitions(assets=assets).get_repository_def().asset_graph.get_all_asset_keys())
    assert found == 10 * catalogs
    return {"cpu_seconds": time.process_time() - started}


def pages(clock: Clock, *, catalogs: int, full: int) -> dict[str, Any]:
    """Ask what the UI asks, of a history in which `search` of so many catalogs is wholly materialized."""
    names = configure(catalogs)
    started = time.perf_counter()
    partitions = write_history(names, names[:full])
    written = time.perf_counter() - started
    figures: dict[str, Any] = {"write_seconds": written}
    with _webserver() as (url, code_server), clock:
        for page, query in PAGES.items():
            answers = [_asked(url, query, names[0]) for _ in range(3)]
            figures[f"{page}_first"] = answers[0][0]
            figures[f"{page}_seconds"] = max(seconds for seconds, _ in answers[1:])
            if page == "partitions":
                stats = answers[0][1]["assetNodeOrError"]["partitionStats"]
                assert stats == {"numMaterialized": partitions, "numPartitions": partitions}, stats
        seconds, answer = _asked(url, SENSOR_TICK, names[0])
        assert "every partition was loaded once" in str(answer), answer
        figures["tick_seconds"] = seconds
        figures["code_server_mb"] = code_server.memory_info().rss / MB
    return figures


def write_history(names: Sequence[str], full: Sequence[str]) -> int:
    """Register the collections of all catalogs, and write that `search` of some is wholly materialized.

    The events are those of one run, which reports them in batches as a run of ours does.

    Returns:
        How many partitions `search` has.
    """
    import dagster as dg

    from stac_assets.catalog import read_catalog
    from stac_assets.orchestration.partitions import date_partitions

    partitions = 0
    with dg.DagsterInstance.from_config(str(Path.cwd())) as instance:
        collections = [f"collection-{number:03}" for number in range(COLLECTIONS)]
        for name in names:
            catalog = read_catalog(name)
            instance.add_dynamic_partitions(catalog.collection_partitions_name, collections)
            if name not in full:
                continue
            run = instance.add_run(dg.DagsterRun(job_name="nothing", status=dg.DagsterRunStatus.SUCCESS))
            key = dg.AssetKey([name, "search"])
            dates = date_partitions(catalog.settings).get_partition_keys()
            keys = [f"{collection}|{day}" for collection in collections for day in dates]
            for first in range(0, len(keys), BATCH):
                events = [_event(run.run_id, key, partition) for partition in keys[first : first + BATCH]]
                instance.event_log_storage.store_event_batch(events)
            partitions = len(keys)
    return partitions


def _event(run_id: str, key: Any, partition: str) -> Any:
    import dagster as dg
    from dagster._core.events import StepMaterializationData

    collection, _, day = partition.partition("|")
    multi = dg.MultiPartitionKey({"collection": collection, "date": day})
    made = StepMaterializationData(dg.AssetMaterialization(key, partition=multi))
    return dg.EventLogEntry(
        error_info=None,
        level=10,
        user_message="",
        run_id=run_id,
        timestamp=time.time(),
        job_name="nothing",
        dagster_event=dg.DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value, "nothing", event_specific_data=made
        ),
    )


@contextmanager
def _webserver() -> Iterator[tuple[str, psutil.Process]]:
    """A webserver of the project, and the process of its code server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-m", "stac_assets.definitions"]
    environment = {**os.environ, "DAGSTER_HOME": str(Path.cwd())}
    with subprocess.Popen([sys.executable, *command], env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            (code_server,) = (
                child
                for child in psutil.Process(process.pid).children(recursive=True)
                if "grpc" in child.cmdline()
            )
            yield url, code_server
        finally:
            process.terminate()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the webserver ended"
        try:
            if requests.get(f"{url}/server_info", timeout=60).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise AssertionError("the webserver does not answer")


def _asked(url: str, query: str, catalog: str) -> tuple[float, Any]:
    """Seconds until a query is answered, and the answer."""
    keys = [{"path": [catalog, name]} for name in ("search", "collection_items", "item", "collection")]
    sensor = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "stac_assets.definitions",
        "sensorName": f"{catalog}_backfill_sensor",
    }
    variables = {"assetKey": keys[0], "assetKeys": keys, "sensor": sensor}
    used = {name: value for name, value in variables.items() if f"${name}:" in query}
    started = time.perf_counter()
    answer = requests.post(f"{url}/graphql", json={"query": query, "variables": used}, timeout=300).json()
    seconds = time.perf_counter() - started
    assert "errors" not in answer, answer
    return seconds, answer["data"]
