"""However a query is made, its answer is bounded in size, time and memory, and shows no part of a secret."""

from pathlib import Path

import pytest

from stac_assets_tests.mcp.assistant import asked, assistant
from stac_assets_tests.mcp.test_attacks import CANARY, guarded  # noqa: F401
from stac_assets_tests.reading import query_postgres

MOST = 82_000
"""Characters of an answer, with what is said of it."""
TAKING_LONG = {
    "duckdb": "SELECT list_reduce(range(200000000), lambda x, y: x + y)",
    "postgres": "SELECT count(*) FROM generate_series(1, 100000) AS a, generate_series(1, 1000000) AS b",
}
MADE = (
    """CREATE FUNCTION public."my-evil"(i int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'""",
    "CREATE OPERATOR public.@@@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl)",
    "CREATE TYPE public.evilt AS (a int)",
    "CREATE DOMAIN public.evildom AS int CHECK (VALUE > 0)",
)
"""What somebody may have made, in a schema that queries find names in."""
USING = (
    'SELECT "my-evil"(1)',
    "SELECT 1 @@@@ 2",
    "SELECT 1 OPERATOR(public.@@@@) 2",
    "SELECT CAST(ROW(1) AS public.evilt)",
    "SELECT 5::evildom",
    "SELECT 1::regclass",
)


@pytest.mark.parametrize("destination", ["duckdb", "postgres"], indirect=True)
def test_an_answer_is_bounded_in_size_and_time(guarded: str, project: Path) -> None:  # noqa: F811
    name = "n" * 300_000
    with assistant(project) as ask:
        for query in (
            f'SELECT * FROM "nosuch_{name}"',
            "SELECT " + ", ".join(f"repeat('x', 200) AS c{n}" for n in range(1_000)),
        ):
            result = ask.call("execute_sql_query", **asked(query))
            assert len(repr(result.content)) < MOST
        said = ask.refused("execute_sql_query", **asked(TAKING_LONG[guarded]), timeout=1)
        assert "was ended after 1 s" in said
        if guarded == "duckdb":  # a list of 8 GB
            ask.refused("execute_sql_query", **asked("SELECT len(range(1000000000))"))
        (row,) = ask.rows("SELECT count(*) AS n FROM search")
        assert row == {"n": 1}


@pytest.mark.parametrize("destination", ["duckdb", "postgres"], indirect=True)
def test_a_secret_that_is_cut_is_hidden_too(guarded: str, project: Path) -> None:  # noqa: F811
    half, rest = CANARY[:9], CANARY[9:]
    with assistant(project) as ask:
        for shown in range(4, len(CANARY)):
            query = f"SELECT repeat('x', {2_000 - shown}) || '{half}' || '{rest}' || repeat('y', 9) AS text"
            told = ask.told("execute_sql_query", **asked(query))
            assert CANARY[:4] not in told and "***…" in told


@pytest.mark.parametrize("destination", ["duckdb"], indirect=True)
def test_values_that_json_does_not_know_are_told(guarded: str, project: Path) -> None:  # noqa: F811
    with assistant(project) as ask:
        assert ask.rows("SELECT MAP {DATE '2024-01-01': 1} AS m") == [{"m": '{"2024-01-01": 1}'}]


@pytest.mark.parametrize("destination", ["postgres"], indirect=True)
def test_what_somebody_has_made_is_not_called_without_a_name(guarded: str, project: Path) -> None:  # noqa: F811
    for statement in MADE:
        query_postgres(statement)
    with assistant(project) as ask:
        for query in USING:
            said = ask.refused("execute_sql_query", **asked(query))
            assert "somebody has made" in said or "tells of the server" in said, said
        assert ask.rows("SELECT id, stac_version || '' AS v FROM search WHERE bbox_xmin <= 180") != []
