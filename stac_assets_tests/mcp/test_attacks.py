"""What somebody may try by SQL: each is refused, or harmless, and nothing has changed afterwards."""

from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import load_days
from stac_assets_tests.mcp.assistant import PIPELINE, Assistant, asked, assistant, text_of
from stac_assets_tests.reading import query_postgres
from stac_assets_tests.stac_api import StacApi, make_item

CANARY = "cnry-0f3a77c1e5"
SECRETS = """
[sources.pystac_client_source]
base_url = "{url}"
api_key = "{canary}"

[destination.other.credentials]
password = "{canary}"
"""

WRITING = (
    "INSERT INTO search (id) VALUES ('x')",
    "UPDATE search SET id = 'x'",
    "DELETE FROM search",
    "DROP TABLE search",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "ALTER TABLE search ADD COLUMN x int",
    "SELECT 1; DROP TABLE search",
    "SELECT 1;\n-- ;\nDELETE FROM search; SELECT 2",
    "WITH gone AS (DELETE FROM search RETURNING id) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM search",
    "COMMIT; DROP TABLE search",
    "BEGIN",
    "",
    "--",
)
DUCKDB = (
    "SELECT * FROM read_text('{project}/.dlt/secrets.toml')",
    "SELECT * FROM '{project}/.dlt/secrets.toml'",
    "SELECT * FROM read_csv('{project}/.dlt/secrets.toml')",
    "SELECT * FROM read_blob('{project}/.dlt/secrets.toml')",
    "SELECT * FROM read_json_objects('{project}/.dlt/secrets.toml')",
    "SELECT * FROM sniff_csv('{project}/.dlt/secrets.toml')",
    "SELECT * FROM query('FROM read_text(''{project}/.dlt/secrets.toml'')')",
    "SELECT * FROM read_parquet('{project}/*')",
    "SELECT * FROM read_duckdb('{project}/other.duckdb')",
    "SELECT * FROM glob('{project}/.dlt/*')",
    "SELECT * FROM read_text('https://example.com')",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT getenv('API_KEY')",
    "SELECT * FROM duckdb_secrets(redact = false)",
    "SELECT current_setting('s3_secret_access_key')",
    "SELECT * FROM environ",
    "SELECT * FROM asked",
    "SELECT * FROM arrow_scan(1, 1, 1)",
    "SELECT * FROM pandas_scan(1)",
    "SELECT nextval('s')",
    "COPY search TO '{project}/stolen.csv'",
    "COPY (SELECT 1) TO '{project}/stolen.parquet'",
    "COPY search FROM '{project}/.dlt/secrets.toml'",
    "EXPORT DATABASE '{project}/stolen'",
    "IMPORT DATABASE '{project}/imported'",
    "ATTACH '{project}/other.duckdb' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH pystac_client",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{project}/x.duckdb_extension'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "SET GLOBAL allowed_directories = ['/']",
    "PRAGMA memory_limit = '100GB'",
    "CALL enable_logging()",
    "CHECKPOINT",
    "VACUUM",
    "USE memory",
    "CREATE SECRET (TYPE s3, KEY_ID 'x')",
    "CREATE MACRO leak() AS TABLE FROM read_text('{project}/.dlt/secrets.toml')",
    "PREPARE x AS SELECT 1",
)
HARMLESS_DUCKDB = (
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_logs()",
    "PRAGMA database_list",
    "SELECT current_setting('enable_external_access')",
)
POSTGRES = (
    "SELECT pg_read_file('{project}/.dlt/secrets.toml')",
    "SELECT \"pg_read_file\"('{project}/.dlt/secrets.toml')",
    "SELECT pg_catalog.pg_read_binary_file /* /* */ */ ('{project}/.dlt/secrets.toml')",
    "SELECT U&\"pg\\005fread\\005ffile\"('{project}/.dlt/secrets.toml')",
    "SELECT query_to_xml('SELECT pg_read' || '_file(''{project}/.dlt/secrets.toml'')', true, false, '')",
    "SELECT table_to_xml('pg_auth' || 'id', true, false, '')",
    "SELECT * FROM pg_ls_dir('{project}')",
    "SELECT pg_stat_file('{project}')",
    "SELECT lo_import('{project}/.dlt/secrets.toml')",
    "SELECT lo_export(1, '{project}/stolen')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_sleep(100)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_notify('x', 'y')",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT current_setting('app.secret')",
    "SELECT * FROM pg_stat_get_activity(NULL)",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_shadow",
    "TABLE pg_authid",
    "SELECT * FROM pg_user_mappings",
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM pg_settings",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM private.tokens",
    "SELECT (SELECT token FROM private.tokens) FROM search",
    "SELECT private.leak()",
    "SELECT id FROM search WHERE EXISTS (SELECT FROM private.tokens)",
    "SELECT id FROM search FOR UPDATE",
    "SELECT nextval('private.numbers')",
    "SELECT dblink('dbname=postgres', 'DROP TABLE search')",
    "SET transaction_read_only = off",
    "SET ROLE postgres",
    "RESET ALL",
    "SHOW app.secret",
    "COPY search TO PROGRAM 'touch {project}/stolen'",
    "COPY search TO STDOUT",
    "COPY (SELECT 1) TO '{project}/stolen'",
    "DO $$ BEGIN PERFORM 1; END $$",
    "CALL private.change()",
    "EXPLAIN SELECT 1",
    "EXPLAIN (ANALYZE) SELECT pg_sleep(1)",
    "LISTEN x",
    "PREPARE x AS SELECT 1",
    "DECLARE c CURSOR FOR SELECT 1",
    "LOCK TABLE search",
    "ROLLBACK; DELETE FROM search",
    "SELECT 1 INTO x",
    "SELECT $q$;$q$; DELETE FROM search",
    "SELECT '\\'; DELETE FROM search; --'",
    "SELECT 1 /* ; */; /* */ DELETE FROM search",
)
HARMLESS_POSTGRES = (
    "SELECT count(*) AS n, max(datetime) AS t, random() < 2 AS r FROM search WHERE id LIKE '%;%' OR true",
    "WITH s AS (SELECT properties->>'datetime' AS d FROM search) SELECT d, lower(d) FROM s;",
    "SELECT catalog, date_trunc('day', datetime) AS day, count(*) FROM stac.items GROUP BY 1, 2",
    "(SELECT 1) UNION ALL VALUES (2) -- the end",
    "SELECT current_user, version(), now(), to_char(now(), 'YYYY')",
)


@pytest.fixture
def guarded(mirrored: StacApi, destination: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project that has loaded an item, and has a secret in a file and in its environment."""
    secrets = SECRETS.format(url=mirrored.url, canary=CANARY)
    (project / ".dlt" / "secrets.toml").write_text(secrets, encoding="utf-8")
    monkeypatch.setenv("API_KEY", CANARY)
    enter_project(project, monkeypatch)
    mirrored.put(make_item("a"))
    load_days(mirrored)
    return destination


def state_of(project: Path, ask: Assistant) -> Any:
    """What an attack could change: the files, and the rows."""
    files = {path: path.stat().st_size for path in project.rglob("*") if path.is_file()}
    return files, ask.rows("SELECT * FROM search"), ask.rows("SELECT * FROM item_changes")


def test_sql_reads_and_does_nothing_else(guarded: str, project: Path) -> None:
    in_postgres = guarded == "postgres"
    if in_postgres:
        for statement in (
            "CREATE SCHEMA private",
            f"CREATE TABLE private.tokens AS SELECT '{CANARY}'::text AS token",
            "CREATE SEQUENCE private.numbers",
            "CREATE FUNCTION private.leak() RETURNS text LANGUAGE sql STABLE AS "
            "'SELECT token FROM private.tokens'",
            "CREATE PROCEDURE private.change() LANGUAGE sql AS 'DELETE FROM private.tokens'",
            f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.secret = ''{CANARY}''', "
            "current_database()); END $$",
        ):
            query_postgres(statement)
    attacks = (*WRITING, *(POSTGRES if in_postgres else DUCKDB))
    if guarded in ("delta", "parquet"):  # the same process, in which Arrow has the files
        attacks = ("DROP VIEW search", *attacks[::4], *(each for each in DUCKDB if "secrets.toml" in each))
    harmless = HARMLESS_POSTGRES if in_postgres else HARMLESS_DUCKDB
    with assistant(project) as ask:
        before, told, wrong = state_of(project, ask), list[str](), list[str]()
        for attack in attacks:
            result = ask.call("execute_sql_query", **asked(attack.replace("{project}", str(project))))
            told.append(text_of(result))
            if not result.is_error:
                wrong.append(f"{attack}: {told[-1]}")
        assert wrong == []
        for query in harmless:
            told.append(ask.told("execute_sql_query", **asked(query)))
        assert state_of(project, ask) == before
    assert CANARY not in "\n".join(told)
    if in_postgres:
        assert query_postgres("SELECT token FROM private.tokens") == [{"token": CANARY}]
        assert query_postgres("SELECT is_called FROM private.numbers") == [{"is_called": False}]
        assert query_postgres(
            "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ) == [{"n": 0}]


def test_no_tool_tells_a_secret(guarded: str, project: Path, tmp_path: Path) -> None:
    """Even one that an API has written into an item."""
    with assistant(project, "-vv") as ask:
        told = list[str]()
        for tool, described in ask.tools().items():
            given: dict[str, Any] = {
                "pipeline_name": PIPELINE,
                "table_name": "search",
                "sql_select_query": f"SELECT '{CANARY[:9]}' || '{CANARY[9:]}' AS secret",
            }
            known = described.input_schema["properties"]
            result = ask.call(tool, **{name: value for name, value in given.items() if name in known})
            assert not result.is_error, text_of(result)
            told.append(repr(result))
        assert len(told) == 11 and "***" in "".join(told)
    told.append((tmp_path / "mcp.stderr").read_text())
    assert CANARY not in "".join(told)
