"""Credentials of PostgreSQL as libpq takes them, on a socket: all of a load finds the same database."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from stac_assets.pipeline.queries import place_of
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import DATASET, catalog_for, ids, load_days
from stac_assets_tests.reading import POSTGRES_URL, query_postgres
from stac_assets_tests.stac_api import StacApi, make_item

Spelled = dict[str, str]


@pytest.fixture
def spelled(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Spelled:
    """The ways to name one database on a socket."""
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    server, _, socket = postgres_url.partition("?host=")
    name = server.rpartition("/")[2]
    return {
        "host": f"postgresql://postgres@/{name}?host={socket}",
        "tls": f"postgresql://postgres@localhost/{name}?host={socket}&sslmode=prefer&connect_timeout=7",
        "quoted": f"postgres://postgres@{quote(socket, safe='')}/{name}",
        "words": f"host={socket} port=5432 dbname={name} user=postgres application_name='a load'",
    }


def variable(project: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POSTGRES_URL, value)
    enter_project(project, monkeypatch)


def secret(project: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'[destination.postgres]\ncredentials = "{value}"\n'
    (project / ".dlt" / "secrets.toml").write_text(text)
    enter_project(project, monkeypatch)


Configure = Callable[[Path, str, pytest.MonkeyPatch], None]


@pytest.mark.parametrize("configure", [variable, secret])
def test_one_database_is_one_place_however_it_is_written(
    project: Path, api: StacApi, spelled: Spelled, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: set[str] = set()
    for number, value in enumerate(spelled.values()):
        api.put(make_item(f"i{number}"))
        configure(project, value, monkeypatch)
        load_days(api)
        places.add(place_of(catalog_for(api)).turn)
    monkeypatch.setenv(POSTGRES_URL, spelled["words"])
    assert ids() == ["i0", "i1", "i2", "i3"] and len(places) == 1
    assert len(query_postgres(f"SELECT DISTINCT _dlt_load_id FROM {DATASET}.search")) == 1


def test_what_a_url_says_holds_for_the_connections_that_store(
    project: Path, api: StacApi, spelled: Spelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without TLS answers on its socket alone to `require`, so that another parameter tells."""
    monkeypatch.setenv(POSTGRES_URL, spelled["words"])
    query_postgres("CREATE TABLE public.seen (setting text)")
    query_postgres(
        "CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO public.seen SELECT current_setting('statement_timeout'); RETURN NEW; END $$"
    )
    api.put(make_item("a"))
    variable(project, f"{spelled['tls']}&options=-c%20statement_timeout%3D54321", monkeypatch)
    load_days(api)
    query_postgres(
        f"CREATE TRIGGER see AFTER INSERT ON {DATASET}.search FOR EACH STATEMENT "
        "EXECUTE FUNCTION public.see()"
    )
    api.put(make_item("a", changed=True))
    load_days(api)
    assert {row["setting"] for row in query_postgres("SELECT setting FROM public.seen")} == {"54321ms"}


@pytest.mark.parametrize("wrong", ["?no_such_parameter=1", "?sslmode=prefer&%zz", ""])
def test_what_libpq_cannot_read_is_refused_without_the_password(
    project: Path, api: StacApi, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
    variable(
        project, f"postgresql://u:s3cret@/x{wrong}" if wrong else "user=u password=s3cret 'x", monkeypatch
    )
    with pytest.raises(ConfigurationError, match="credentials of postgres cannot be read") as raised:
        load_days(api)
    assert "s3cret" not in str(raised.value) and api.requests == []
