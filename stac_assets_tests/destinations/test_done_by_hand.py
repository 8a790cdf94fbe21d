"""What people drop, rename and change in their own database: the next load makes it again, and says so."""

import json
import re
from collections.abc import Callable

import pytest

from stac_assets.pipeline.errors import StoreFailed
from stac_assets_tests.items_view import execute, shown
from stac_assets_tests.loads import DATASET, column_types, ids, items, load_catalog, load_days, query, rows
from stac_assets_tests.reading import POSTGRES_URL, in_postgres
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_lossless import BAD, NOON

Told = Callable[[], list[str]]
STAGING = f"{DATASET}_staging"
SECOND = "2024-01-02"


@pytest.fixture(autouse=True, params=["duckdb", "postgres"])
def stored(request: pytest.FixtureRequest, project: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test is run with both destinations."""
    monkeypatch.setenv("PIPELINE__DESTINATION", request.param)
    if request.param == "postgres":
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """What loads have said of the tables since this was called last."""

    def lines() -> list[str]:
        found = [r.getMessage() for r in caplog.records if "is made again" in r.getMessage()]
        caplog.clear()
        return found

    return lines


@pytest.fixture
def sent(api: StacApi) -> list[dict[str, object]]:
    """Two items of two days, which are loaded, a rejected document, and a collection, which is staged."""
    first = make_item("a", gsd=10.5, title="T")
    second = make_item("b", gsd=3.5, title="U", datetime=f"{SECOND}T12:00:00Z")
    for item in (first, second):
        api.put(item)
    api.put(RawItem(BAD["nan"], "c1", NOON, NOON, "nan"))
    load_days(api, last=SECOND)
    load_catalog(api, "collection", ["c1"])
    return [first, second]


def test_tables_are_made_again(api: StacApi, sent: list[dict[str, object]], told: Told) -> None:
    for table in ("search", "rejected_items", "_dlt_loads", "_dlt_pipeline_state"):
        execute(f"DROP TABLE {DATASET}.{table}")
    result = load_days(api, inspected=True)
    (line,) = told()
    for table in ("search, without the rows of earlier loads", "rejected_items", "_dlt_loads"):
        assert f"the table {table}" in line
    assert "_dlt_pipeline_state" in line
    assert items() == {("c1", "a"): sent[0]} and len(rows("rejected_items")) == 1
    assert result.inspection is not None and shown() == [("default", "a")]

    load_days(api, last=SECOND)
    assert told() == [] and list(items().values()) == sent

    execute(f"DROP TABLE {STAGING}.collection")
    load_catalog(api, "collection", ["c1"])
    (line,) = told()
    assert "the staging table of collection" in line and len(rows("collection")) == 1


def test_columns_are_made_again(api: StacApi, sent: list[dict[str, object]], told: Told) -> None:
    dropped = ("title", "updated", "_partition_key", "_dlt_load_id")
    before = column_types()
    for column in dropped:
        execute(f"ALTER TABLE {DATASET}.search DROP COLUMN {column}")
    execute(f"ALTER TABLE {DATASET}.rejected_items DROP COLUMN reason")
    load_days(api)
    (line,) = told()
    assert "4 columns of search" in line and "1 column of rejected_items (reason), empty in rows" in line
    assert all(column in line for column in dropped)
    assert column_types() == before
    first, second = rows()
    assert (first["title"], second["title"]) == ("T", None)
    assert second["_partition_key"] == f"c1|{SECOND}", "it is told by the times"

    api.remove("c1", "b")
    load_days(api, last=SECOND)
    assert told() == [] and ids() == ["a"]
    assert rows()[0]["title"] == "T" and rows("rejected_items")[0]["reason"]


def test_a_renamed_table_stays_and_the_new_one_has_its_indexes(api: StacApi, sent: list[object]) -> None:
    execute(f"ALTER TABLE {DATASET}.search RENAME TO mine")
    for _ in range(2):
        load_days(api)
        assert ids() == ["a"]
    assert query(f"SELECT count(*) AS n FROM {DATASET}.mine") == [{"n": 2}]
    if in_postgres():
        made = query(
            f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{DATASET}' AND tablename = 'search'"
        )
        assert sorted(str(row["indexdef"]).rpartition(" USING ")[2] for row in made) == [
            "btree (_partition_key)",
            "hash (id)",
        ]


@pytest.mark.parametrize("schema", [DATASET, STAGING, f"{DATASET}_and_staging"])
def test_a_whole_schema_is_made_again(api: StacApi, sent: list[object], schema: str) -> None:
    for each in [DATASET, STAGING] if schema.endswith("and_staging") else [schema]:
        execute(f"DROP SCHEMA {each} CASCADE")
    load_days(api)
    assert ids() == (["a", "b"] if schema == STAGING else ["a"]) and len(rows("rejected_items")) == 1


def test_types_are_known_where_dlt_has_forgotten_the_tables(
    api: StacApi, sent: list[object], told: Told
) -> None:
    """A column that was a number's stays one, whatever comes first now, and empty partitions become empty."""
    execute(f"DROP TABLE {DATASET}._dlt_version")
    before = column_types()
    api.clear()
    api.put(make_item("a", gsd="coarse", title="T"))
    result = load_days(api, last=SECOND)
    (line,) = told()
    assert "dlt's record of the tables" in line and "search" in line
    assert result.misfits == {"gsd": 1} and column_types() == before
    assert ids() == ["a"] and rows()[0]["title"] == "T" and rows("rejected_items") == []
    api.put(make_item("a", gsd=2.5, title="T"))
    load_days(api)
    assert told() == [] and rows()[0]["gsd"] == 2.5


@pytest.mark.parametrize(
    ("found", "named"), [("INTEGER", "INTEGER"), ("VARCHAR", "VARCHAR|character varying")]
)
def test_a_column_of_another_type_is_named_with_what_to_do(
    api: StacApi, sent: list[object], found: str, named: str
) -> None:
    execute(f"ALTER TABLE {DATASET}.search ALTER COLUMN gsd TYPE {found}")
    api.requests.clear()
    with pytest.raises(StoreFailed) as raised:
        load_days(api)
    assert api.requests == [], "it is said before anything is asked for"
    message = str(raised.value)
    said = rf"the column gsd of the table search is ({named}), and was made DOUBLE( PRECISION)?: (ALTER .+?);"
    match = re.search(said, message, re.IGNORECASE)
    assert match, message
    execute(match[3])
    assert "set _fingerprint to NULL" in message
    execute(f"UPDATE {DATASET}.search SET _fingerprint = NULL")
    load_days(api)
    assert rows()[0]["gsd"] == 10.5 and ids() == ["a", "b"]


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("bigint", 10.5),
        ("integer", 3),
        ("real", 0.1),
        ("decimal(4,1)", 10.55),
        ("boolean", 2.0),
        ("text", 10.5),
        ("date", "2024-01-01"),
        ("bigint", "12"),
    ],
)
def test_a_column_of_somebody_else_takes_no_values_of_another_type(
    api: StacApi, sent: list[dict[str, object]], data_type: str, value: object
) -> None:
    execute(f"ALTER TABLE {DATASET}.search ADD foo {data_type}")
    api.put(changed := make_item("a", gsd=10.5, title="T", foo=value))
    wanted = "(VARCHAR|character varying)" if isinstance(value, str) else "DOUBLE( PRECISION)?"
    said = rf"(?i)column foo of the table search is .+, and its property needs {wanted}\. .+ or drop it"
    with pytest.raises(StoreFailed, match=said):
        load_days(api)
    found = query(f"SELECT id, foo FROM {DATASET}.search ORDER BY id")
    assert found == [{"id": "a", "foo": None}, {"id": "b", "foo": None}]
    execute(f"ALTER TABLE {DATASET}.search DROP foo")
    assert list(items().values()) == sent
    load_days(api)
    assert items()["c1", "a"] == changed and rows()[0]["foo"] == value


def test_a_column_of_somebody_else_in_capitals(api: StacApi, sent: list[dict[str, object]]) -> None:
    """DuckDB takes it for that of the property, and PostgreSQL for another one, but dlt makes no second."""
    execute(f'ALTER TABLE {DATASET}.search ADD "FOO" bigint')
    api.put(make_item("a", foo=10.5))
    with pytest.raises(StoreFailed, match=r"(?i)column foo of the table search is BIGINT"):
        load_days(api)
    execute(f'ALTER TABLE {DATASET}.search DROP "FOO"')
    load_days(api)
    assert query(f"SELECT foo FROM {DATASET}.search WHERE id = 'a'") == [{"foo": 10.5}]


def test_rows_whose_partition_nothing_tells_are_not_kept_for_good(api: StacApi, sent: list[object]) -> None:
    execute(f"ALTER TABLE {DATASET}.rejected_items DROP COLUMN _partition_key")
    before = json.dumps(rows("rejected_items"), default=str)
    with pytest.raises(StoreFailed, match=r"rejected_items lacks its column _partition_key") as raised:
        load_days(api)
    assert json.dumps(rows("rejected_items"), default=str) == before
    match = re.search(r"DROP TABLE (\S+)\. Nothing", str(raised.value))
    assert match
    execute(f"DROP TABLE {match[1]}")
    load_days(api)
    assert len(rows("rejected_items")) == 1


def test_an_empty_answer_is_believed_where_the_rows_are_gone(api: StacApi) -> None:
    """Nobody knows that there were many, so that the partition is not asked for again."""
    for number in range(60):
        api.put(make_item(f"i{number}"))
    load_days(api)
    api.clear()
    for statement in ("TRUNCATE", "DROP TABLE"):
        execute(f"{statement} {DATASET}.search")
        result = load_days(api)
        assert [window.shrinkage for window in result.windows] == [None] and ids() == []


def test_tables_of_the_catalog_are_made_again(api: StacApi, told: Told) -> None:
    api.collections = [make_collection("c1"), make_collection("c2")]
    for table in ("collections", "collection"):
        load_catalog(api, table, ["c1", "c2"])
    execute(f"DROP TABLE {DATASET}.collections")
    execute(f"ALTER TABLE {DATASET}.collection DROP COLUMN title")
    for table, column in (("collections", "the table collections"), ("collection", "collection (title)")):
        load_catalog(api, table, ["c1"])
        (line,) = told()
        assert column in line
        assert sorted(row["id"] for row in rows(table)) == ["c1", "c2"]


def test_a_column_that_was_dropped_is_filled_by_the_next_loads_of_unchanged_items(
    api: StacApi, sent: list[dict[str, object]]
) -> None:
    execute(f"ALTER TABLE {DATASET}.search DROP COLUMN gsd")
    load_days(api)
    assert {row["id"]: row["gsd"] for row in rows()} == {"a": 10.5, "b": None}
    load_days(api, last=SECOND)
    assert {row["id"]: row["gsd"] for row in rows()} == {"a": 10.5, "b": 3.5}
    told = [(row["change"], row["id"]) for row in rows("item_changes")]
    assert sorted(told) == [("added", "a"), ("added", "b")], "no item has changed"
    assert len(load_days(api, last=SECOND).unchanged) == 2


def test_a_feed_that_was_dropped_begins_anew(api: StacApi, sent: list[dict[str, object]]) -> None:
    execute(f"DROP TABLE {DATASET}.item_changes")
    api.put(make_item("a", gsd=11.5, title="T"))
    load_days(api, last=SECOND)
    told = sorted((row["change"], row["id"]) for row in rows("item_changes"))
    assert told == [("baseline", "a"), ("baseline", "b")], "which, replayed, are the table"


def test_the_fingerprint_of_a_row_that_was_changed_by_hand_makes_it_stored_anew(
    api: StacApi, sent: list[dict[str, object]]
) -> None:
    execute(f"UPDATE {DATASET}.search SET gsd = 99, _fingerprint = NULL WHERE id = 'a'")
    load_days(api, last=SECOND)
    assert {row["id"]: row["gsd"] for row in rows()} == {"a": 10.5, "b": 3.5}
