"""Fixtures of the browser tests: one API, one `dagster dev` and one browser for all of them.

Each test has collections of its own, so that none depends on what another has loaded.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.browser.chromium import PROGRAMS, chromium, find_chromium
from stac_assets_tests.browser.dagster_dev import DagsterDev, make_dagster_project
from stac_assets_tests.browser.ui import Ui
from stac_assets_tests.stac_api import StacApi, make_collection, make_item

COLLECTIONS = [f"c{number:03}" for number in range(110)]
FIRST, LAST = date(2024, 1, 1), date(2024, 12, 30)
"""With the collections they make 40,150 partition keys."""
PUBLISHED_DAYS, PER_DAY = 10, 3
SOURCE = "SOURCES__PYSTAC_CLIENT_SOURCE__"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Tell with a failure what the page looked like."""
    report: Any = yield
    ui = getattr(item, "funcargs", {}).get("ui")
    if report.when == "call" and report.failed and ui is not None:
        picture = item.config.rootpath / ".pytest_cache" / f"{item.name}.png"
        ui.page.screenshot(path=picture)
        text = ui.page.locator("body").inner_text()
        report.sections.append(("page", f"{ui.page.url}\n{picture}\n{text}"))
    return report


@pytest.fixture(scope="session")
def program() -> str:
    """The browser; where there is none, all tests are skipped before anything is started."""
    pytest.importorskip("playwright", reason="the extra 'browser' is not installed")
    found = find_chromium()
    if found is None:
        pytest.skip(f"no {', '.join(PROGRAMS)} on the PATH; try: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def browser(program: str) -> Iterator[Any]:
    with chromium(program) as running:
        yield running


@pytest.fixture(scope="session")
def api() -> Iterator[StacApi]:
    """An API with 110 collections, each with three items a day at the beginning of the year."""
    published = StacApi(collections=[make_collection(name) for name in COLLECTIONS])
    for collection in COLLECTIONS:
        for day in (FIRST + timedelta(number) for number in range(PUBLISHED_DAYS)):
            for number in range(PER_DAY):
                item = make_item(f"{collection}-{day}-{number}", collection, f"{day}T{number:02}:30:00Z")
                published.put(item)
    with published:
        yield published


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with the files that a clone has for Dagster."""
    project = tmp_path_factory.mktemp("browser") / "project"
    make_dagster_project(project)
    return project


@pytest.fixture(scope="session")
def dagster(program: str, api: StacApi, folder: Path) -> Iterator[DagsterDev]:
    """`dagster dev` as somebody starts it in a clone."""
    settings = {
        "BASE_URL": api.url,
        "COLLECTIONS": json.dumps(COLLECTIONS),
        "START_DATE": FIRST.isoformat(),
        "END_DATE": LAST.isoformat(),
    }
    with DagsterDev(folder, **{SOURCE + name: value for name, value in settings.items()}) as running:
        yield running


@pytest.fixture
def ui(browser: Any, dagster: DagsterDev) -> Iterator[Ui]:
    """A new page; that a script on it failed is an error of the test."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield Ui(page, dagster.url)
    page.close()
    assert not failures
