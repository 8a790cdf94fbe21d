"""The lines of configuration that docs/destinations.md gives for each destination: dlt resolves them."""

import traceback
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.destinations.dry import run_dry
from stac_assets_tests.loads import load_days, settings_for, storage_for
from stac_assets_tests.pages import block, paragraph
from stac_assets_tests.stac_api import StacApi, make_item

pytestmark = pytest.mark.usefixtures("no_network")

WRITTEN = block("docs/destinations.md", "toml secrets").replace("PASSWORD", "s3cret").replace("…", "s3cret")
SECRETS = {
    "duckdb": "",
    **{
        name: paragraph(WRITTEN, f"[destination.{name}") + "\n"
        for name in ("postgres", "bigquery", "snowflake", "redshift", "databricks")
    },
}
"""What stands in `.dlt/secrets.toml`, beside `destination = "…"` under `[pipeline]` in `.dlt/config.toml`."""

FACTS: dict[str, dict[str, Any]] = {
    "duckdb": {},
    "postgres": {"host": "db.example.com", "port": 5432, "database": "stac", "password": "s3cret"},
    "bigquery": {"project_id": "my-project"},
    "snowflake": {"host": "my_account", "database": "stac", "warehouse": "loading", "password": "s3cret"},
    "redshift": {"host": "my-cluster.example.com", "port": 5439, "password": "s3cret"},
    "databricks": {"catalog": "stac", "http_path": "/sql/1.0/warehouses/1a2b3c", "access_token": "s3cret"},
}
PROJECT = 'destination = "duckdb"'
"""The line of the project's `.dlt/config.toml` that names the destination."""


def configure(project: Path, destination: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write what the page says, and read it as a new process would."""
    config = project / ".dlt" / "config.toml"
    text = config.read_text()
    assert text.count(PROJECT) == 1
    config.write_text(text.replace(PROJECT, f'destination = "{destination}"'))
    (project / ".dlt" / "secrets.toml").write_text(SECRETS[destination])
    enter_project(project, monkeypatch)


@pytest.mark.parametrize("destination", SECRETS)
def test_dlt_finds_what_stands_there(
    project: Path, api: StacApi, destination: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, destination, monkeypatch)
    assert len(SECRETS[destination].strip().splitlines()) <= 5
    settings = settings_for(api)
    assert settings.destination == destination
    storage = storage_for(api)
    pipeline = storage.pipeline(project / "pipelines")
    place = storage.place(pipeline)
    assert (place.destination_type, place.dataset_name) == (destination, "pystac_client_data")
    assert "s3cret" not in f"{place} {place.location} {settings} {storage.target}"
    credentials: Any = getattr(pipeline.destination_client().config, "credentials", None)
    assert {name: getattr(credentials, name) for name in FACTS[destination]} == FACTS[destination]


@pytest.mark.parametrize("destination", ["postgres", "redshift"])
def test_the_driver_reads_the_url_that_dlt_makes_of_it(
    project: Path, api: StacApi, destination: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses other schemes than its own, and would repeat the whole URL, with the password."""
    parse_dsn = pytest.importorskip("psycopg2.extensions").parse_dsn
    configure(project, destination, monkeypatch)
    pipeline = storage_for(api).pipeline(project / "pipelines")
    config: Any = pipeline.destination_client().config
    read = parse_dsn(config.credentials.to_native_representation())
    assert {"host": FACTS[destination]["host"], "password": "s3cret"}.items() <= read.items()


def test_a_dataset_with_the_name_of_its_duckdb_file_is_refused(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first load would store, and every later one fail with an ambiguous reference."""
    for name in ("pystac_client", "PYSTAC-CLIENT"):
        monkeypatch.setenv("PIPELINE__DATASET_NAME", name)
        enter_project(project, monkeypatch)
        with pytest.raises(ConfigurationError, match=r"pystac_client\.duckdb.*set another `dataset_name`"):
            load_days(api)
    assert api.requests == []


@pytest.mark.parametrize("scheme", ["redshift", "postgresql+psycopg2", "mysql"])
@pytest.mark.parametrize("destination", ["postgres", "redshift"])
def test_a_url_of_another_scheme_is_refused_without_its_password(
    project: Path, api: StacApi, destination: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{scheme}://loader:s3cret@db.example.com/stac"
    monkeypatch.setitem(SECRETS, destination, f'[destination.{destination}]\ncredentials = "{url}"\n')
    configure(project, destination, monkeypatch)
    with pytest.raises(ConfigurationError) as raised:
        load_days(api)
    told = "".join(traceback.format_exception(raised.value))
    assert f"begins with {scheme}://; its driver knows postgresql://" in told and "s3cret" not in told
    assert f"[destination.{destination}]" in told
    assert api.requests == []


@pytest.mark.parametrize("destination", [name for name in SECRETS if name != "duckdb"])
def test_without_secrets_the_error_names_them(
    project: Path, api: StacApi, destination: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, destination, monkeypatch)
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # Google's library asks whether this is a machine of theirs
    (project / ".dlt" / "secrets.toml").write_text("")
    enter_project(project, monkeypatch)
    storage = storage_for(api)
    pipeline = storage.pipeline(project / "pipelines")
    with pytest.raises(Exception, match=rf"(?i)destination.{destination}|credentials"):
        storage.place(pipeline)


def test_redshift_by_way_of_a_bucket_is_loaded_from_json_lines(
    project: Path, api: StacApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A literal of its SQL holds 64 KB, and a file in a bucket any document."""
    configure(project, "redshift", monkeypatch)
    monkeypatch.setenv("PIPELINES__STAGING_TYPE", "filesystem")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (tmp_path / "bucket").as_uri())
    api.put(make_item("a", note="x" * 100_000))
    dry = run_dry("redshift", api, "search", folder=tmp_path)
    (item,) = [row for row in dry.rows("search") if row["id"] == "a"]
    assert item["properties"]["note"] == "x" * 100_000
    assert {file.name.partition(".0.")[2] for file in dry.files["search"]} == {"jsonl.gz"}
