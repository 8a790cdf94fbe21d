"""Google Cloud, Azure and MotherDuck, without an account or network: what a configuration becomes."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.schema import Schema

from stac_assets.pipeline.destinations.filesystem.delta import DeltaFiles
from stac_assets.pipeline.destinations.filesystem.destination import Client
from stac_assets.pipeline.destinations.filesystem.hive import HiveFiles
from stac_assets.pipeline.destinations.filesystem.storage import without_password
from stac_assets.pipeline.exclusion.waiting import Hold, Wait
from stac_assets.pipeline.place import Place
from stac_assets.source.columns import ITEM_COLUMNS, PARTITION_KEY
from stac_assets.source.delivery import TableForm
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.loads import place_for, storage_for

URL = "http://127.0.0.1:1"
SECRET = "c2VjcmV0"


@pytest.fixture(autouse=True)
def no_network(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"asked the network: {args[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def configure(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def lake(
    monkeypatch: pytest.MonkeyPatch, project: Path, url: str, **credentials: str
) -> tuple[Client, Place]:
    """The client of a lake, and where it is."""
    prefix = "DESTINATION__FILESYSTEM__"
    given = {f"{prefix}CREDENTIALS__{name.upper()}": value for name, value in credentials.items()}
    configure(monkeypatch, PIPELINE__DESTINATION="filesystem", **{f"{prefix}BUCKET_URL": url}, **given)
    storage = storage_for(URL)
    pipeline = storage.pipeline(project / "unused")
    schema = _search()
    pipeline._inject_schema(schema)
    client = pipeline.destination_client(schema.name)
    assert isinstance(client, Client)
    return client, storage.place(pipeline)


def _search(**hints: Any) -> Any:
    table: Any = {
        "name": "search",
        "columns": {**ITEM_COLUMNS, PARTITION_KEY: {**ITEM_COLUMNS[PARTITION_KEY], "merge_key": True}},
        "write_disposition": "merge",
        "x-merge-strategy": "delete-insert",
        "table_format": "delta",
    }
    schema = Schema("pystac_client_source")
    schema.update_table(table)
    return schema


def files_of(client: Client, table_format: str | None) -> Any:
    table: Any = client.prepare_load_table("search")
    described: Any = {**table, "table_format": table_format}
    return client.table_files(described)


def test_google_cloud_storage(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gcsfs", reason="Google Cloud Storage needs gcsfs")
    account = {"project_id": "p", "client_email": "a@p.iam.gserviceaccount.com", "private_key": _key()}
    client, place = lake(monkeypatch, project, "gs://stac-lake/items", **account)
    assert place.location == "gs://stac-lake/items"
    delta, hive = files_of(client, "delta"), files_of(client, None)
    assert isinstance(delta, DeltaFiles) and isinstance(hive, HiveFiles)
    assert delta._url == "gs://stac-lake/items/pystac_client_data/search"
    options = json.loads(delta._options["service_account_key"])
    assert options["client_email"] == account["client_email"]
    assert delta._folder.path == hive._folder.path == "stac-lake/items/pystac_client_data/search"
    assert not hive._folder.is_local


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("az://stac-lake/items", "stac-lake/items"),
        ("abfss://stac-lake@account.dfs.core.windows.net/items", "stac-lake/items"),
    ],
)
def test_azure(project: Path, monkeypatch: pytest.MonkeyPatch, url: str, path: str) -> None:
    pytest.importorskip("adlfs", reason="Azure Blob Storage needs adlfs")
    client, place = lake(
        monkeypatch, project, url, azure_storage_account_name="account", azure_storage_account_key=SECRET
    )
    assert place.location == url
    delta, hive = files_of(client, "delta"), files_of(client, None)
    assert delta._url == f"{url}/pystac_client_data/search"
    assert delta._options["account_name"] == "account" and delta._options["account_key"] == SECRET
    assert hive._folder.path == f"{path}/pystac_client_data/search"


def test_amazon_s3(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"aws_access_key_id": "id", "aws_secret_access_key": SECRET, "region_name": "eu-central-1"}
    client, place = lake(monkeypatch, project, "s3://stac-lake", **keys)
    assert place.location == "s3://stac-lake"
    assert SECRET not in f"{place} {place.location}"
    delta = files_of(client, "delta")
    assert delta._url == "s3://stac-lake/pystac_client_data/search"
    assert delta._options == {
        "aws_access_key_id": "id",
        "aws_secret_access_key": SECRET,
        "region": "eu-central-1",
    }


def test_a_password_in_the_url_is_no_part_of_the_place(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert without_password("sftp://user:hunter2@example.com/lake/") == "sftp://example.com/lake"
    assert (
        without_password("abfss://box@account.dfs.core.windows.net/")
        == "abfss://box@account.dfs.core.windows.net"
    )


def test_a_lake_without_a_place(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, PIPELINE__DESTINATION="filesystem")
    with pytest.raises(ConfigFieldMissingException, match="bucket_url"):
        place_for(URL, project / "unused")


def test_a_database_of_motherduck_is_no_file_of_duckdb(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, DESTINATION__DUCKDB__CREDENTIALS=f"md:stac?motherduck_token={SECRET}")
    with pytest.raises(ConfigurationError, match="set `destination` to motherduck") as raised:
        place_for(URL, project / "unused")
    assert SECRET not in str(raised.value)


def test_motherduck_is_no_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt loads into it as it does into DuckDB, by a staging dataset and in one transaction."""
    configure(
        monkeypatch,
        PIPELINE__DESTINATION="motherduck",
        DESTINATION__MOTHERDUCK__CREDENTIALS=f"md:stac?motherduck_token={SECRET}",
    )
    storage = storage_for(URL)
    pipeline = storage.pipeline(project / "unused")
    place = storage.place(pipeline)
    assert (place.file, place.destination_type) == (None, "motherduck")
    assert SECRET not in f"{place} {place.location}"
    assert storage.form(pipeline, project) == TableForm()
    with storage.storing(place, project / "unused", Hold(Wait(1))) as storing:
        assert storing.destination is not None
        assert storing.destination.capabilities().supports_transactions
    assert [path.name for path in project.iterdir() if path.name not in (".dlt", "unused")] == []


def _key() -> str:
    """A private key that opens nothing."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization as form

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
