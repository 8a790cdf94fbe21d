"""What dlt's own clients would send to a warehouse: made with credentials that are no credentials.

Nothing here opens a connection. `extract` and `normalize` need none, and what a client makes of a schema, and
of a merge, it makes without asking anybody.
"""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlglot
from dlt.common.schema.utils import get_nested_tables
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline
from sqlglot import expressions as exp

from stac_assets.pipeline.exclusion.waiting import Wait
from stac_assets.source import pystac_client_source
from stac_assets.source.delivery import TableForm
from stac_assets_tests.loads import IMPATIENT, settings_for, storage_for
from stac_assets_tests.stac_api import StacApi

PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n"

CREDENTIALS: dict[str, dict[str, str]] = {
    "bigquery": {
        "PROJECT_ID": "my-project",
        "CLIENT_EMAIL": "loader@my-project.iam.gserviceaccount.com",
        "PRIVATE_KEY": PRIVATE_KEY,
    },
    "snowflake": {
        "HOST": "my_account",
        "DATABASE": "my_database",
        "USERNAME": "loader",
        "PASSWORD": "no-password",
    },
    "redshift": {
        "HOST": "my-cluster.example.com",
        "DATABASE": "my_database",
        "USERNAME": "loader",
        "PASSWORD": "no-password",
    },
    "databricks": {
        "SERVER_HOSTNAME": "my-workspace.example.com",
        "HTTP_PATH": "/sql/1.0/warehouses/none",
        "CATALOG": "my_catalog",
        "ACCESS_TOKEN": "no-token",
    },
}
"""By warehouse: what dlt wants to know of it, as the last parts of environment variables."""

WAREHOUSES = tuple(CREDENTIALS)


def environment(warehouse: str) -> dict[str, str]:
    """Environment variables that make a warehouse the project's destination."""
    prefix = f"DESTINATION__{warehouse.upper()}__CREDENTIALS__"
    given = {prefix + name: value for name, value in CREDENTIALS[warehouse].items()}
    return {"PIPELINE__DESTINATION": warehouse, **given}


@dataclass
class Dry:
    """A load into a warehouse that ended where it would have connected."""

    warehouse: str
    pipeline: Pipeline
    client: SqlJobClientBase
    files: dict[str, list[Path]] = field(default_factory=dict)
    """The load files of each table."""

    @property
    def dialect(self) -> str:
        """sqlglot's name of the warehouse's SQL."""
        return str(self.client.capabilities.sqlglot_dialect)

    def ddl(self, table: str) -> list[str]:
        """The statements that make a table of the dataset."""
        statements, _ = self.client._build_schema_update_sql([(table, {})])
        return statements

    def columns(self, table: str) -> dict[str, exp.ColumnDef]:
        """The definitions of a table's columns, parsed."""
        created = self.parsed(self.ddl(table)[0])
        assert isinstance(created, exp.Create)
        return {column.name.lower(): column for column in created.find_all(exp.ColumnDef)}

    def types(self, table: str) -> dict[str, str]:
        """The warehouse's own name of the type of each column."""
        return {name: column.args["kind"].sql(self.dialect) for name, column in self.columns(table).items()}

    def replacement(self, table: str) -> list[str]:
        """The statements that replace rows of a table by those in staging."""
        chain = [
            self.client.prepare_load_table(str(part.get("name")))
            for part in get_nested_tables(self.client.schema.tables, table)
        ]
        (job,) = self.client.create_table_chain_completed_followup_jobs(chain)
        return [line for line in Path(job.new_file_path()).read_text().splitlines() if line.strip()]  # type: ignore[attr-defined]

    def parsed(self, statement: str) -> Any:
        """A statement, parsed as the warehouse's own SQL."""
        # which sqlglot does not know as what it is in Redshift, an attribute of a column
        known = statement.replace(" SORTKEY", "") if self.warehouse == "redshift" else statement
        return sqlglot.parse_one(known, dialect=self.dialect)

    def lines(self, table: str) -> list[str]:
        """The lines of a table's load files."""
        return [line for file in self.files[table] for line in text_of(file).splitlines()]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table's load files, of those that are JSON lines."""
        return [json.loads(line) for line in self.lines(table)]


def text_of(file: Path) -> str:
    """A load file's text."""
    content = file.read_bytes()
    return (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode()


def run_dry(
    warehouse: str,
    api: StacApi,
    *resources: str,
    folder: Path,
    item_ids: Iterable[str] = (),
    **settings: Any,
) -> Dry:
    """Fetch some endpoints, and go as far as to the load files; the environment names the warehouse."""
    read = settings_for(api, **settings)
    assert read.destination == warehouse
    storage = storage_for(api, **settings)
    plain = storage.pipeline(folder / "check")
    place = storage.place(plain)
    assert storage.form(plain, folder) == TableForm()
    with (
        storage.holding(place, Wait(1)) as hold,
        storage.storing(place, folder / "store", hold) as pipeline,
    ):
        given = {**IMPATIENT, "collections": ["c1"], **settings}
        source = pystac_client_source(
            api.url, start_date="2024-01-01", end_date="2024-01-01", item_ids=item_ids, **given
        )
        pipeline.extract(source.with_resources(*resources))
        pipeline.normalize()
        (load_id,) = pipeline.list_normalized_load_packages()
        client = pipeline.destination_client()
        assert isinstance(client, SqlJobClientBase)
        found = Dry(warehouse, pipeline, client)
        jobs: list[LoadJobInfo] = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
        for job in jobs:
            found.files.setdefault(job.job_file_info.table_name, []).append(Path(job.file_path))
        return found
