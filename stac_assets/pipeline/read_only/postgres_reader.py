"""Reads PostgreSQL in a transaction that reads only, and refuses what reads more than the catalogs' tables.

A transaction that reads only keeps rows as they are, but not everything else: a role with many rights reads
files, ends other sessions and opens connections by functions. PostgreSQL says itself which functions do more
than compute: they are volatile. So a query names none of these, and no relation but those of our schemas.
"""

import json
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from dlt.pipeline.pipeline import Pipeline
from psycopg2.extras import register_default_json, register_default_jsonb

from stac_assets.catalog import VIEWS_SCHEMA
from stac_assets.pipeline.read_only.answer import Answer, Bounds, bounded
from stac_assets.pipeline.read_only.reader import QueryRefused, Reader

BEGINNINGS = ("SELECT", "WITH", "VALUES", "TABLE", "(")
"""How a query begins."""
HARMLESS = frozenset({"random", "clock_timestamp", "timeofday", "gen_random_uuid"})
"""Functions that are volatile, and yet only compute."""
TELLING = frozenset(
    {"current_setting", "database_to_xml", "schema_to_xml", "table_to_xml", "database_to_xml_and_xmlschema"}
    | {"schema_to_xml_and_xmlschema", "table_to_xml_and_xmlschema", "inet_client_addr", "inet_server_addr"}
    | {"database_to_xmlschema", "schema_to_xmlschema", "table_to_xmlschema", "txid_current"}
    | {"shobj_description", "obj_description", "col_description"}
)
"""Functions that are not volatile, and yet tell of settings, or read relations that no query names."""
SYSTEMS = frozenset({"pg_typeof", "pg_column_size", "pg_size_pretty"})
"""Functions of the server about itself that may be called. All others tell more of it than of items."""
_WORD = re.compile(r"[^\W\d][\w$]*")
_WITHOUT_NAMES = re.compile(r"\bu&", re.IGNORECASE)
"""Begins a name whose letters are written as numbers."""
_NAMES_OF_SERVER = re.compile(r"\breg(class|role|proc|procedure|oper|operator|namespace|type|config)\b", re.I)
"""Types that make names of the server's own of numbers."""
OF_OTHERS = """
    SELECT kind, name FROM (
        SELECT 'operator' AS kind, oprname AS name, oprnamespace AS space, oid,
            'pg_catalog.pg_operator'::pg_catalog.regclass AS class FROM pg_catalog.pg_operator
        UNION ALL SELECT 'type', t.typname, t.typnamespace, t.oid, 'pg_catalog.pg_type'::pg_catalog.regclass
            FROM pg_catalog.pg_type AS t LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
            WHERE typelem = 0 AND (c.oid IS NULL OR c.relkind = 'c')
        UNION ALL SELECT 'function', proname, pronamespace, oid, 'pg_catalog.pg_proc'::pg_catalog.regclass
            FROM pg_catalog.pg_proc WHERE proname !~ '^[[:alpha:]_][[:alnum:]_$]*$'
    ) AS made JOIN pg_catalog.pg_namespace AS n ON n.oid = made.space
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND CASE WHEN name ~ '^[[:alpha:]_][[:alnum:]_$]*$' THEN pg_catalog.lower(name) = ANY(%s)
            ELSE pg_catalog.strpos(pg_catalog.lower(%s), pg_catalog.lower(name)) > 0 END
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
            WHERE d.objid = made.oid AND d.classid = made.class AND d.deptype = 'e'
                AND pg_catalog.starts_with(e.extname, 'postgis')
        ) LIMIT 1
"""
"""What somebody has made that may call a function where a query names none: operators, and types, whose casts
and conditions do. Functions are looked for by their words, but for those whose names are none."""
CURSOR = "stac_assets_query"
OPEN = f"""DO $do$ DECLARE found refcursor := '{CURSOR}'; BEGIN
OPEN found NO SCROLL FOR EXECUTE current_setting('stac_assets.query'); END $do$"""
"""Makes a cursor of a text. PostgreSQL takes it for one statement, and only if that gives rows; its text is
never put together with another one."""


class PostgresReader(Reader):
    """Reads a database of PostgreSQL.

    Args:
        pipeline: whose configuration names the server.
        schemas: of all catalogs that are configured.
    """

    refuses = None

    def __init__(self, pipeline: Pipeline, schemas: Sequence[str] = ()) -> None:
        super().__init__(pipeline)
        self._dataset: str = self._sql_client.dataset_name
        self._schemas = {self._dataset, VIEWS_SCHEMA, *schemas}

    def run(self, sql: str, bounds: Bounds) -> Answer:
        """As every reader."""
        return self._answer(sql, bounds, is_ours=False)

    def ask(self, sql: str, bounds: Bounds) -> Answer:
        """As every reader."""
        return self._answer(sql, bounds, is_ours=True)

    def _answer(self, sql: str, bounds: Bounds, is_ours: bool) -> Answer:
        query = sql.strip().rstrip(";").rstrip()
        try:
            with self._session(bounds.seconds) as cursor:
                if not is_ours:
                    self._refuse(cursor, query)
                self._open(cursor, query)

                def fetch(count: int) -> Sequence[Sequence[Any]]:
                    cursor.execute(f"FETCH FORWARD {int(count)} FROM {CURSOR}")
                    rows: Sequence[Sequence[Any]] = cursor.fetchall()
                    return rows

                cursor.execute(f"FETCH FORWARD 0 FROM {CURSOR}")
                return bounded([column[0] for column in cursor.description or ()], fetch, bounds)
        except psycopg2.extensions.QueryCanceledError:
            raise QueryRefused(bounds.ended) from None
        except psycopg2.Error as error:
            raise QueryRefused(_said(error)) from None

    @contextmanager
    def _session(self, seconds: float) -> Iterator[Any]:
        """A cursor in a transaction that reads only, which is rolled back at the end, as is all that it set.

        It is cancelled from outside too, because a query can change its own limit.
        """
        connection = psycopg2.connect(self._client.config.credentials.to_native_representation())
        over = threading.Event()
        clock = threading.Thread(target=_cancel_after, args=(connection, seconds + 1, over), daemon=True)
        try:
            connection.set_session(readonly=True, isolation_level="REPEATABLE READ", autocommit=False)
            for register in (register_default_json, register_default_jsonb):
                register(connection, loads=str)
            with connection.cursor() as cursor:
                milliseconds = int(seconds * 1000)
                path = ", ".join(map(self.column, (self._dataset, VIEWS_SCHEMA, "public")))
                for name, value in (
                    ("statement_timeout", str(milliseconds)),
                    ("lock_timeout", str(min(milliseconds, 5000))),
                    ("idle_in_transaction_session_timeout", str(milliseconds + 10_000)),
                    ("timezone", "UTC"),
                    ("standard_conforming_strings", "on"),
                    ("search_path", path),
                ):
                    cursor.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
                clock.start()
                yield cursor
        finally:
            over.set()
            connection.close()

    def _open(self, cursor: Any, query: str) -> None:
        cursor.execute("SELECT pg_catalog.set_config('stac_assets.query', %s, true)", (query,))
        cursor.execute(OPEN)

    def _refuse(self, cursor: Any, query: str) -> None:
        """Refuse what does more than to read the tables of catalogs.

        Raises:
            QueryRefused: it says what for.
        """
        if not query.upper().startswith(BEGINNINGS):
            raise QueryRefused("one statement that reads is expected (SELECT ...)")
        if _WITHOUT_NAMES.search(query):
            raise QueryRefused('names are expected as they are, not as U&"..."')
        if found := _NAMES_OF_SERVER.search(query):
            raise QueryRefused(f"the query names {found[0]}, a type that tells of the server")
        words = {word for found in _WORD.findall(query) for word in (found, found.lower())}
        self._refuse_functions(cursor, words)
        cursor.execute(OF_OTHERS, (list(words), query))
        for kind, name in cursor.fetchall():
            raise QueryRefused(
                f"the query holds {name}, the name of a {kind} that somebody has made, which may do more "
                "than compute; only those of PostgreSQL and of PostGIS can be used"
            )
        for name, schema in self._planned(cursor, query, "Relation Name"):
            if schema not in self._schemas:
                raise QueryRefused(
                    f"the query reads {schema}.{name}; the tables of catalogs can be read, which are in "
                    + ", ".join(sorted(self._schemas))
                )
        behind = self._planned(
            cursor, query, "Function Name"
        )  # views of the server are made of its functions
        self._refuse_functions(cursor, {name for name, schema in behind if schema not in self._schemas})

    def _refuse_functions(self, cursor: Any, names: Iterable[str]) -> None:
        """Refuse names of functions that do more than compute."""
        cursor.execute(
            "SELECT DISTINCT p.proname, n.nspname, p.provolatile::text, coalesce(e.extname, '') "
            "FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace "
            "LEFT JOIN pg_catalog.pg_depend AS d ON d.objid = p.oid AND d.deptype = 'e' "
            "AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass "
            "LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid WHERE p.proname = ANY(%s)",
            (list(names),),
        )
        for name, schema, kind, extension in sorted(cursor.fetchall()):
            is_known = schema == "pg_catalog" or extension.startswith("postgis")
            is_volatile = kind == "v" and name not in HARMLESS
            about_server = name.startswith("pg_") and name not in SYSTEMS
            if not is_known or is_volatile or about_server or name in TELLING:
                raise QueryRefused(
                    f"the query names {name}, a function that may do more than compute from the tables; "
                    "only such functions of PostgreSQL's own and of PostGIS can be called"
                )

    def _planned(self, cursor: Any, query: str, kind: str) -> list[tuple[str, str]]:
        """What the planner finds that a query reads, behind views too: names, each with its schema."""
        cursor.execute("SAVEPOINT planned")
        self._open(cursor, f"EXPLAIN (VERBOSE, FORMAT JSON) {query}")
        cursor.execute(f"FETCH ALL FROM {CURSOR}")
        ((plan,),) = cursor.fetchall()
        cursor.execute("ROLLBACK TO SAVEPOINT planned")
        return list(_named(json.loads(plan), kind))


def _said(error: psycopg2.Error) -> str:
    """What the server says of a query, without the statements around it."""
    primary, hint = error.diag.message_primary, error.diag.message_hint
    if not primary:
        return str(error).strip()
    if "multi-query" in primary:
        primary = "one statement that reads is expected (SELECT ...); these are several"
    return primary + (f" ({hint})" if hint else "")


def _named(plan: Any, kind: str) -> Iterator[tuple[str, str]]:
    """What has a name of this kind in a plan, each with its schema."""
    if isinstance(plan, dict):
        if kind in plan:
            yield plan[kind], plan.get("Schema", "")
        for value in plan.values():
            yield from _named(value, kind)
    elif isinstance(plan, list):
        for value in plan:
            yield from _named(value, kind)


def _cancel_after(connection: Any, seconds: float, over: threading.Event) -> None:
    """Cancel whatever statement runs then, and those after it: each has a limit of its own."""
    while not over.wait(seconds):
        with suppress(psycopg2.Error):  # it is over already
            connection.cancel()
        seconds = 1.0
