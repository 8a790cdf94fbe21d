"""Executors and launchers that the configuration names, and DuckDB where they leave the machine."""

from pathlib import Path

import dagster as dg
import dagster_docker
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_plan

from stac_assets.definitions import build_definitions
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import settings_for
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_dagster import DAYS, Runs, failure

DOCKER = {
    "run_launcher": {"module": "dagster_docker", "class": "DockerRunLauncher", "config": {"image": "i"}}
}


MINE = {"PIPELINE__DESTINATION": "mine", "DESTINATION__MINE__DESTINATION_TYPE": "duckdb"}
FOLDER = {"PIPELINE__DESTINATION": "filesystem", "DESTINATION__FILESYSTEM__BUCKET_URL": "lake"}


@pytest.mark.parametrize("variables", [{}, MINE, FOLDER], ids=["duckdb", "mine", "folder"])
def test_a_launcher_that_leaves_the_machine_is_refused_before_anything_is_fetched(
    project: Path,
    api: StacApi,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    enter_project(project, monkeypatch)
    api.put(make_item("a"))
    with dg.instance_for_test(temp_dir=str(tmp_path_factory.mktemp("home")), overrides=DOCKER) as instance:
        runs = Runs(api, instance)
        for asset in ("search", "item"):
            told = failure(runs(asset, "c1|2024-01-01"))
            assert "the run launcher DockerRunLauncher uses other machines or containers" in told
            assert "is on one machine" in told and "PIPELINE__DESTINATION" in told
    assert api.requests == []


def test_an_executor_that_leaves_the_machine_is_refused(
    project: Path, api: StacApi, instance: dg.DagsterInstance
) -> None:
    """The step is executed as in its container."""
    definitions = build_definitions(settings_for(api, executor="dagster_docker:docker_executor", **DAYS))
    everything = definitions.resolve_implicit_global_asset_job_def()
    search = frozenset({dg.AssetKey("search")})
    job = everything.get_subset(asset_selection=set(search))
    tags = {"dagster/partition": "c1|2024-01-01"}
    run = instance.create_run_for_job(job, asset_selection=search, tags=tags)
    plan = create_execution_plan(job, tags=tags)
    (error,) = [
        event.step_failure_data.error
        for event in execute_plan(plan, InMemoryJob(job), instance, run)
        if event.is_step_failure
    ]
    assert error is not None and error.cause is not None
    assert "the executor docker uses other machines" in error.cause.message
    assert api.requests == []


@pytest.mark.parametrize(
    ("name", "executor"),
    [
        ("in_process", dg.in_process_executor),
        ("multiprocess", dg.multiprocess_executor),
        ("dagster_docker:docker_executor", dagster_docker.docker_executor),
    ],
)
def test_the_settings_name_the_executor(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, name: str, executor: dg.ExecutorDefinition
) -> None:
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__EXECUTOR", name)
    assert build_definitions(settings_for(api)).executor is executor


@pytest.mark.parametrize(
    "name", ["k8s", "no_such_module:executor", "dagster:asset", "dagster:nothing", ":", ""]
)
def test_an_executor_that_is_none(project: Path, api: StacApi, name: str) -> None:
    settings = settings_for(api, executor=name)
    if not name:
        assert settings.executor == "in_process"
        return
    with pytest.raises(ConfigurationError, match=r"executor is .*in_process, multiprocess.*dagster_k8s"):
        build_definitions(settings)


def test_every_asset_is_in_the_pool_of_its_api(project: Path) -> None:
    definitions = build_definitions(settings_for("https://stac.example.com:8443/v1", **DAYS))
    nodes = definitions.resolve_implicit_global_asset_job_def().nodes
    pools = {node.definition.pool for node in nodes if isinstance(node.definition, dg.OpDefinition)}
    assert len(nodes) == 9 and pools == {"stac-api/stac.example.com"}
