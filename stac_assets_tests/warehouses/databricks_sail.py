"""Sail, which runs Spark's SQL on Delta tables, with the statements of Databricks that it does not know.

Those are written in its own words, or done to the log of the table as Delta's protocol says. One statement
runs at a time.
"""

import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlglot
from pysail.spark import SparkConnectServer  # pyright: ignore[reportMissingImports]
from pyspark.sql import SparkSession  # pyright: ignore[reportMissingImports]
from pyspark.sql import functions as f  # pyright: ignore[reportMissingImports]
from pyspark.sql.types import VariantType  # pyright: ignore[reportMissingImports]
from sqlglot import expressions as exp

DIALECT = "databricks"
CATALOG = "sail"
DELTA_TYPES = {"bigint": "long"}
"""By Databricks' name of a type: Delta's, where that is another one."""
DATABRICKS_TYPES = {told: name for name, told in DELTA_TYPES.items()}
NO_COLUMN = {
    **{"table_schema": "", "table_name": "", "column_name": "", "ordinal_position": 0},
    **{"full_data_type": "", "data_type": "", "is_nullable": "", "numeric_precision": 0, "numeric_scale": 0},
}
"""A row of the information schema that nobody asks for, and that has all columns of the type they have."""
CLUSTER = re.compile(r"\s+CLUSTER BY \([^)]*\)\s*$")
FILES = re.compile(r"FROM\s+'(/Volumes/[^']+)'")
PUT = re.compile(r"PUT '([^']+)' INTO '([^']+)' OVERWRITE")
INFORMATION_SCHEMA = re.compile(r"(?:`?\w+`?\.)?INFORMATION_SCHEMA\.(\w+)", re.IGNORECASE)
NONE = pa.table({})

Table = tuple[str, str]
"""A schema and a name."""


@dataclass(frozen=True)
class Transfer:
    """What the driver has to do with a file on its own machine.

    Args:
        operation: PUT.
        path: of the file in a volume.
        local: the driver's own path.
    """

    operation: str
    path: str
    local: str


class Sail:
    """The server, and what it does not keep itself.

    Args:
        folder: for tables and volumes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = SparkConnectServer("127.0.0.1", 0)
        self._server.start(background=True)
        _, port = self._server.listening_address
        self._spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        self._spark.conf.set("spark.sql.session.timeZone", "UTC")
        self._tables: dict[Table, Path] = {}
        self._one_by_one = threading.Lock()

    def file(self, path: str) -> Path:
        """Where a file of a volume lies."""
        return self._folder / path.lstrip("/")

    def run(self, statement: str) -> pa.Table | Transfer:
        """The rows of a statement, or what the driver is to do for it."""
        words = " ".join(statement.split(maxsplit=2)[:2]).upper()
        done: dict[str, Callable[[str], Any]] = {
            "CREATE TABLE": self._create,
            "DROP TABLE": self._drop_table,
            "DROP SCHEMA": self._drop_schema,
            "ALTER TABLE": self._add_columns,
            "TRUNCATE TABLE": self._truncate,
            "COPY INTO": self._copy,
            "INSERT INTO": self._insert,
            "DELETE FROM": self._delete,
            "CREATE VOLUME": lambda _: NONE,
        }
        with self._one_by_one:
            if words in done:
                done[words](statement.strip())
                return NONE
            if words.startswith("UPDATE "):
                self._update(statement)
                return NONE
            if put := PUT.match(statement):
                return Transfer("PUT", put[2], put[1])
            return self._rows(INFORMATION_SCHEMA.sub(self._view, statement))

    def _rows(self, statement: str) -> pa.Table:
        """Rows, in which a VARIANT is JSON text, as Databricks sends it."""
        found = self._spark.sql(statement)
        for field in found.schema:
            if isinstance(field.dataType, VariantType):
                found = found.withColumn(field.name, f.to_json(f.col(f"`{field.name}`")))
        return found.toArrow()

    def _do(self, statement: str) -> None:
        self._spark.sql(statement).collect()

    # Tables and their columns -----------------------------------------------------------------

    def _create(self, statement: str) -> None:
        """Create a Delta table in a folder of its own; the layout of its rows is the warehouse's."""
        parsed = _parsed(statement)
        where = self._folder / "tables" / uuid.uuid4().hex
        self._do(f"{CLUSTER.sub('', statement)} USING delta LOCATION '{where.as_uri()}'")
        self._tables.setdefault(_named(parsed.this.this), where)

    def _drop_table(self, statement: str) -> None:
        self._do(statement)
        for table in _parsed(statement).find_all(exp.Table):
            self._tables.pop(_named(table), None)

    def _drop_schema(self, statement: str) -> None:
        self._do(statement)
        left = {row["schema_name"] for row in self._schemata()}
        self._tables = {table: where for table, where in self._tables.items() if table[0] in left}

    def _add_columns(self, statement: str) -> None:
        """Add columns by a commit of our own to the log of a table; Sail has no ALTER TABLE."""
        table, columns = re.split(r"\s+ADD COLUMNS?\s+", statement, maxsplit=1)
        added = _parsed(f"CREATE TABLE x ({columns.strip(' ;')})")
        where = self._where(_parsed(f"SELECT * FROM {table.split()[-1]}"))
        metadata = _metadata(where)
        schema = json.loads(metadata["schemaString"])
        there = {field["name"].lower() for field in schema["fields"]}
        for column in added.find_all(exp.ColumnDef):
            if column.name.lower() in there:
                raise ValueError(f"[FIELD_ALREADY_EXISTS] {column.name}")
            kind = column.args["kind"].sql(DIALECT).lower()
            told = {"type": DELTA_TYPES.get(kind, kind), "nullable": True, "metadata": {}}
            schema["fields"].append({"name": column.name, **told})
        commit = {"metaData": {**metadata, "schemaString": json.dumps(schema)}}
        log = where / "_delta_log"
        version = max(int(file.stem) for file in log.glob("*.json")) + 1
        (log / f"{version:020}.json").write_text(json.dumps(commit) + "\n")

    def _where(self, statement: Any) -> Path:
        """Where the first table of a statement lies."""
        return self._tables[_named(statement.find(exp.Table))]

    # Rows -------------------------------------------------------------------------------------

    def _truncate(self, statement: str) -> None:
        self._do(re.sub("TRUNCATE TABLE", "DELETE FROM", statement, flags=re.IGNORECASE))

    def _copy(self, statement: str) -> None:
        """Insert the columns of files by their names."""
        copied = _parsed(statement)
        located = FILES.search(statement)
        assert located is not None
        files = f"parquet.`{self.file(located[1])}`"
        select = copied.find(exp.Select)
        if select is None:
            columns = [f"`{name}`" for name in self._spark.sql(f"SELECT * FROM {files}").columns]
            names = columns
        else:
            columns = [column.sql(DIALECT) for column in select.expressions]
            names = [f"`{column.alias_or_name}`" for column in select.expressions]
        into = f"{copied.find(exp.Table).sql(DIALECT)} ({', '.join(names)})"
        self._insert(f"INSERT INTO {into} SELECT {', '.join(columns)} FROM {files}")

    def _insert(self, statement: str) -> None:
        """Insert rows, in which a column that nobody names is NULL."""
        parsed = _parsed(statement)
        if isinstance(parsed.this, exp.Schema):
            given = {column.name.lower() for column in parsed.this.expressions}
            fields = _fields(_metadata(self._where(parsed.this)))
            lacking = {name: kind for name, kind, _ in fields if name.lower() not in given}
            if lacking:
                into, rows = statement.split(")", 1)
                names = "".join(f", `{name}`" for name in lacking)
                nulls = "".join(f", CAST(NULL AS {kind})" for kind in lacking.values())
                statement = f"{into}{names}) SELECT *{nulls} FROM ({rows})"
        self._do(statement)

    def _delete(self, statement: str) -> None:
        """Delete rows; those of which another table has the keys by a MERGE, as Sail has no such DELETE."""
        parsed = _parsed(statement)
        exists = parsed.find(exp.Exists)
        for within in parsed.find_all(exp.In):
            if (query := within.args.get("query")) is not None:
                select = query.this.copy()
                select.expressions[0].replace(exp.alias_(select.expressions[0].copy(), "named"))
                conditions = [exp.column("named", "found").eq(within.this.copy())]
                conditions += [each for each in parsed.args["where"].this.flatten() if each is not within]
                found = f"SELECT DISTINCT named FROM ({select.sql(DIALECT)})"
                return self._do(
                    f"MERGE INTO {parsed.this.sql(DIALECT)} USING ({found}) AS found "
                    f"ON {exp.and_(*conditions).sql(DIALECT)} WHEN MATCHED THEN DELETE"
                )
        if exists is None:
            return self._do(statement)
        source = exists.find(exp.Table)
        condition = exists.this.args["where"].this
        keys = {
            column.sql(DIALECT) for column in condition.find_all(exp.Column) if column.table == source.alias
        }
        self._do(
            f"MERGE INTO {parsed.this.sql(DIALECT)} USING "
            f"(SELECT DISTINCT {', '.join(sorted(keys))} FROM {source.sql(DIALECT)}) AS {source.alias} "
            f"ON {condition.sql(DIALECT)} WHEN MATCHED THEN DELETE"
        )
        return None

    def _update(self, statement: str) -> None:
        """Set columns; Sail does not know of which type the NULL of a VARIANT is."""
        self._do(statement.replace("changed_members = NULL", "changed_members = parse_json(NULL)"))

    # What is there ----------------------------------------------------------------------------

    def _view(self, named: re.Match[str]) -> str:
        """The view that stands for one of the information schema."""
        name = named[1].lower()
        rows = {"schemata": self._schemata, "tables": self._told_tables, "columns": self._columns}[name]()
        view = f"information_schema_{name}"
        self._spark.createDataFrame(pa.Table.from_pylist(rows)).createOrReplaceTempView(view)
        return view

    def _schemata(self) -> list[dict[str, Any]]:
        found = self._spark.sql("SHOW SCHEMAS").toArrow().column(0).to_pylist()
        return [{"catalog_name": CATALOG, "schema_name": name} for name in found]

    def _told_tables(self) -> list[dict[str, Any]]:
        found = [{"table_schema": schema, "table_name": name} for schema, name in self._tables]
        return [{"table_catalog": CATALOG, **row} for row in (NO_COLUMN, *found)]

    def _columns(self) -> list[dict[str, Any]]:
        found = [{"table_catalog": CATALOG, **NO_COLUMN}]
        for (schema, table), where in self._tables.items():
            for at, (name, kind, is_nullable) in enumerate(_fields(_metadata(where))):
                told = (schema, table, name, at, kind, kind.upper(), "YES" if is_nullable else "NO")
                found.append(
                    {"table_catalog": CATALOG, **dict(zip(NO_COLUMN, (*told, None, None), strict=True))}
                )
        return found


def _parsed(statement: str) -> Any:
    return sqlglot.parse_one(statement, dialect=DIALECT)


def _named(table: Any) -> Table:
    return table.db.lower(), table.name.lower()


def _fields(metadata: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """By column: its name, Databricks' name of its type, and whether it may be NULL."""
    fields = json.loads(metadata["schemaString"])["fields"]
    kinds = [str(field["type"]) for field in fields]
    return [
        (field["name"], DATABRICKS_TYPES.get(kind, kind), field["nullable"])
        for field, kind in zip(fields, kinds, strict=True)
    ]


def _metadata(table: Path) -> dict[str, Any]:
    """What the log of a Delta table says of it last."""
    commits = sorted((table / "_delta_log").glob("*.json"), reverse=True)
    actions = (json.loads(line) for file in commits for line in file.read_text().splitlines())
    return next(action["metaData"] for action in actions if "metaData" in action)
