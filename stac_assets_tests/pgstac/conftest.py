"""The API that the tests of this folder load: an imitation, or with `--pgstac` stac-fastapi-pgstac itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from stac_assets_tests.pgstac.servers import CATALOG, Imitation, Server
from stac_assets_tests.pgstac_api import PgstacApi


@pytest.fixture(scope="session")
def pgstac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """stac-fastapi-pgstac, whatever it holds; skips where it or its database is not installed."""
    pytest.importorskip("psycopg2", reason="the tests ask pgstac's tables with psycopg2")
    from stac_assets_tests.pgstac.database import find_postgres, postgres
    from stac_assets_tests.pgstac.real import ENVIRONMENT, Pgstac

    programs = find_postgres()
    if programs is None:
        pytest.skip("there is no PostgreSQL with PostGIS (Debian: postgresql-postgis)")
    if not (ENVIRONMENT / "pypgstac").exists():
        pytest.skip("stac-fastapi-pgstac is not in .venv-pgstac; `make test-pgstac` installs it there")
    with postgres(programs) as database, Pgstac(database, tmp_path_factory.mktemp("pgstac")) as running:
        yield running


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The API with the whole catalog; it counts nothing."""
    if request.config.getoption("pgstac"):
        running = request.getfixturevalue("pgstac")
        running.hold(CATALOG)
        yield running
    else:
        with PgstacApi() as api:
            imitation = Imitation(api)
            imitation.fill(CATALOG)
            yield imitation
