"""Several catalogs in `deploy/`: Compose's file of variables, and the values of the Helm chart."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest
import yaml

from stac_assets import build_definitions
from stac_assets.catalog import Catalog, read_catalogs
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.deploy.deployment import DEPLOY
from stac_assets_tests.stac_api import StacApi, make_item

VARIABLE = re.compile(r"\$\{(\w+):?([-?])([^}]*)\}")
PASSWORD = {"POSTGRES_PASSWORD": "p"}


def interpolated(value: str, given: dict[str, str]) -> str:
    """A value as Compose writes it: `${NAME:-default}`."""
    return VARIABLE.sub(lambda found: given.get(found[1], found[3] if found[2] == "-" else ""), value)


def composed(*lines: str, **given: str) -> dict[str, str]:
    """The environment of the code container; that of the file of variables comes after its own."""
    code = yaml.safe_load((DEPLOY / "docker-compose.yaml").read_text())["services"]["code"]
    assert code["env_file"] == [{"path": "catalogs.env", "required": False}]
    of_file = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    own = {name: interpolated(value, PASSWORD | given) for name, value in code["environment"].items()}
    return of_file | own


def of_chart(*, several: bool) -> dict[str, str]:
    """The environment of the code location, with or without the lines that are comments."""
    text = (DEPLOY / "values.yaml").read_text()
    if several:
        text = re.sub(r"(?m)^( +)# (- name: SOURCES\S*CATALOGS|  value: )", r"\1\2", text)
    (deployment,) = yaml.safe_load(text)["dagster-user-deployments"]["deployments"]
    return {entry["name"]: entry["value"] for entry in deployment["env"]}


def example() -> list[str]:
    return (DEPLOY / "catalogs.env.example").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def found(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The catalogs that the image, with its `.dlt/config.toml`, has in an environment."""

    def read(environment: dict[str, str]) -> list[Catalog]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        enter_project(project, monkeypatch)
        return read_catalogs()

    return read


def test_compose_takes_several(found: Any) -> None:
    dea, earth_search = found(composed(*example()))
    assert (dea.name, earth_search.name) == ("dea", "earth_search")
    assert dea.settings.named_collections == ("ga_ls8c_ard_3", "ga_ls9c_ard_3")
    assert (dea.settings.granularity, earth_search.settings.granularity) == ("monthly", "daily")
    assert earth_search.settings.base_url == "https://earth-search.aws.element84.com/v1"
    assert {catalog.settings.destination for catalog in (dea, earth_search)} == {"postgres"}
    groups = {spec.group_name for spec in build_definitions().resolve_all_asset_specs()}
    assert groups == {"dea", "earth_search"}


def test_compose_without_the_file_is_one_catalog(found: Any) -> None:
    (only,) = found(composed())
    assert only.name is None and only.settings.base_url == "https://earth-search.aws.element84.com/v1"
    assert only.settings.named_collections == ("sentinel-2-l2a",)
    assert f"{only.settings.start_date}" == "2024-01-01"
    (other,) = found(composed(STAC_BASE_URL="https://stac.example.com", STAC_COLLECTIONS="a,b"))
    assert other.settings.base_url == "https://stac.example.com"
    assert other.settings.named_collections == ("a", "b")


def test_the_chart_takes_several(found: Any) -> None:
    (only,) = found(of_chart(several=False))
    assert only.name is None and only.settings.named_collections == ("sentinel-2-l2a",)
    dea, earth_search = found(of_chart(several=True))
    assert (dea.name, earth_search.name) == ("dea", "earth_search")
    assert (dea.settings.named_collections, earth_search.settings.collections) == (
        ("ga_ls8c_ard_3", "ga_ls9c_ard_3"),
        "*",
    )


def test_the_image_takes_a_file_of_several(found: Any, project: Path) -> None:
    """What stands in `.dlt/config.toml` goes into the image, with catalogs as without."""
    assert "COPY .dlt/config.toml" in (DEPLOY / "Dockerfile").read_text()
    section = "sources.pystac_client_source.catalogs"
    with (project / ".dlt" / "config.toml").open("a") as file:
        file.write(f'\n[{section}.east]\npreset = "veda"\n\n[{section}.west]\npreset = "maap"\n')
    assert [catalog.name for catalog in found(composed())] == ["east", "west"]


def test_each_has_a_schema_in_postgresql(
    found: Any, postgres_url: str, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StacApi(items=[make_item("e")]) as east, StacApi(items=[make_item("w")]) as west:
        prefix = "SOURCES__PYSTAC_CLIENT_SOURCE__CATALOGS__"
        lines = [f"{prefix}EAST__BASE_URL={east.url}", f"{prefix}WEST__BASE_URL={west.url}"]
        lines += [f"{prefix}{name}__COLLECTIONS=c1" for name in ("EAST", "WEST")]
        found({**composed(*lines), "DESTINATION__POSTGRES__CREDENTIALS": postgres_url})
        job = build_definitions().resolve_implicit_global_asset_job_def()
        for name in ("east", "west"):
            key = dg.AssetKey([name, "search"])
            done = job.execute_in_process(
                instance=instance, asset_selection=[key], partition_key="c1|2024-01-01"
            )
            assert done.success
    connection = psycopg2.connect(postgres_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM east.search UNION ALL SELECT id FROM west.search ORDER BY 1")
        assert cursor.fetchall() == [("e",), ("w",)]
    connection.close()
