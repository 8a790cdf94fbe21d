"""The files of `deploy/`, by their own tools and schemas where they can be had without a network.

Helm and the chart's schema cannot; so the values are held against the chart's names, written down here.
"""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_postgres.event_log import PostgresEventLogStorage

from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.deploy.deployment import DEPLOY, Deployment

CHART = {
    "dagster-user-deployments": {"enabled", "deployments"},
    "postgresql": {
        *(
            "enabled",
            "postgresqlScheme",
            "postgresqlHost",
            "postgresqlUsername",
            "postgresqlDatabase",
            "service",
        ),
    },
    "runLauncher": {"type", "config"},
    "concurrency": {"enabled", "pools", "runs"},
    "dagsterDaemon": {"runMonitoring", "runRetries"},
    "pythonLogs": {"pythonLogLevel", "managedPythonLoggers"},
    "telemetry": {"enabled"},
    "global": {"postgresqlSecretName"},
    "generatePostgresqlPasswordSecret": set(),
}
"""The chart's values that are used: helm/dagster/schema/schema/charts/dagster in dagster-io/dagster."""
DEPLOYMENT = {
    *("name", "image", "port", "codeServerArgs", "includeConfigInLaunchedRuns", "env", "envSecrets"),
}


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


@pytest.fixture
def instance(
    project: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dg.DagsterInstance:
    """The instance that `deploy/dagster.yaml` describes."""
    monkeypatch.setenv(
        "DAGSTER_POSTGRES_URL", postgres_url.replace("postgresql://", "postgresql+psycopg2://")
    )
    monkeypatch.setenv("DAGSTER_LOGS", str(tmp_path / "logs"))
    return dg.DagsterInstance.from_config(str(DEPLOY))


def test_the_instance(instance: dg.DagsterInstance) -> None:
    with instance:
        assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
        assert instance.get_runs() == []
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        assert type(instance.run_launcher).__name__ == "DefaultRunLauncher"
        assert instance.run_monitoring_enabled and instance.run_retries_enabled
        assert instance.run_retries_max_retries == 3
        limits = instance.get_concurrency_config()
        assert limits.pool_config.default_pool_limit == 4
        assert limits.run_queue_config is not None
        assert limits.run_queue_config.max_concurrent_runs == 10


def test_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_CODE_HOST", "code")
    monkeypatch.setenv("DAGSTER_CODE_PORT", "4000")
    (origin,) = WorkspaceFileTarget(paths=[str(DEPLOY / "workspace.yaml")]).create_origins()
    assert (origin.location_name, origin.host, origin.port) == ("stac_assets", "code", 4000)  # type: ignore[attr-defined]


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name(name)), *arguments],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )


def test_the_compose_file_by_the_compose_specification() -> None:
    done = run_tool(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/docker-compose.yaml"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    services = read("docker-compose.yaml")["services"]
    assert set(services) == {"database", "code", "webserver", "daemon"}
    for name in ("webserver", "daemon", "code"):
        assert {"DAGSTER_POSTGRES_URL", "DAGSTER_CODE_HOST", "DAGSTER_CODE_PORT"} <= set(
            services[name]["environment"]
        )
    assert services["webserver"]["ports"] == ["127.0.0.1:3000:3000"]


def test_the_dockerfile_by_hadolint() -> None:
    done = run_tool("hadolint", "deploy/Dockerfile")
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr
    copied = {
        name
        for line in (DEPLOY / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ")
        for name in line.split()[1:-1]
    }
    assert all((REPOSITORY / name).exists() for name in copied)
    allowed = {line.removeprefix("!") for line in (REPOSITORY / ".dockerignore").read_text().splitlines()}
    assert copied <= allowed


def test_the_commands_of_the_readme_are_those_that_the_backfill_is_tested_with() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    environment, commands = (
        text.split(f"# {name}\n")[1].split("```")[0] for name in ("environment", "commands")
    )
    started = inspect.getsource(Deployment)
    for name in re.findall(r"(\w+)=", environment):
        assert f'"{name}"' in started
    for word in re.findall(r"[a-z][a-z_.-]+[a-z]", commands.partition("dagster instance info")[2]):
        assert word in started or word == "deploy/workspace.yaml".rpartition("/")[0], word
    assert "deploy/workspace.yaml" in commands


def test_the_values_of_the_helm_chart() -> None:
    values = read("values.yaml")
    assert set(values) == set(CHART)
    for name, known in CHART.items():
        if known:
            assert set(values[name]) <= known, name
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert set(deployment) <= DEPLOYMENT
    assert {entry["name"] for entry in deployment["env"]} >= {"PIPELINE__DESTINATION"}
    assert set(values["runLauncher"]["config"]) == {"k8sRunLauncher"}


def test_the_values_say_what_the_instance_says() -> None:
    values, instance = read("values.yaml"), read("dagster.yaml")
    pools, runs = values["concurrency"]["pools"], values["concurrency"]["runs"]
    assert instance["concurrency"]["pools"] == {
        "granularity": pools["granularity"],
        "default_limit": pools["defaultLimit"],
    }
    assert instance["concurrency"]["runs"] == {
        "max_concurrent_runs": runs["maxConcurrentRuns"],
        "tag_concurrency_limits": runs["tagConcurrencyLimits"],
    }
    assert values["dagsterDaemon"]["runRetries"]["maxRetries"] == instance["run_retries"]["max_retries"]
