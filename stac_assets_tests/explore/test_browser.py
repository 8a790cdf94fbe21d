"""The page in a real browser: its numbers are those of the table, and loads go on while it is open."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stac_assets_tests.browser.chromium import PROGRAMS, chromium, find_chromium
from stac_assets_tests.explore.conftest import SETTING, load_published
from stac_assets_tests.explore.page import Explored, exploring, pictures
from stac_assets_tests.explore.published import FULL, NUMBER, full_item, publish
from stac_assets_tests.proxy import Listener
from stac_assets_tests.reading import DATASET, query
from stac_assets_tests.stac_api import StacApi

LOADED = (
    """[...document.querySelectorAll("img[src$='.png']")].filter(each => each.naturalWidth).length == 12"""
)
HOLDING = """
import duckdb, sys
with duckdb.connect("pystac_client.duckdb") as held:
    print("held", flush=True)
    sys.stdin.read()
"""


class Silent(Listener):
    """A proxy to everywhere else, which counts who comes."""

    connections = 0

    def connect(self, client: Any) -> None:
        """Hang up."""
        self.connections += 1
        client.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    pytest.importorskip("playwright", reason="the extra 'browser' is not installed")
    found = find_chromium()
    if found is None:
        pytest.skip(f"no {', '.join(PROGRAMS)} on the PATH; try: apt-get install chromium")
    with chromium(found) as running:
        yield running


@pytest.fixture
def published(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the pictures of all items, on this machine, after a load into DuckDB."""
    monkeypatch.setenv(SETTING + "BASE_URL", api.url)
    with pictures() as url:
        publish(api, url)
        load_published(api)
        yield url


def stored() -> dict[str, int]:
    """Items of the first collection by day, as DuckDB tells."""
    return counted("right(_partition_key, 10)")


def counted(*expressions: str) -> dict[str, int]:
    """How many of them have which value of some expressions."""
    found: dict[str, int] = {}
    for each in expressions:
        asked = f"SELECT CAST({each} AS VARCHAR) AS value, count(*) AS n FROM {DATASET}.search"
        for row in query(f"{asked} WHERE collection = '{FULL}' AND {each} IS NOT NULL GROUP BY 1"):
            found[row["value"]] = row["n"]
    return found


def test_the_page_shows_the_table_and_lets_loads_go_on(
    published: str, api: StacApi, browser: Any, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with Silent() as outside:
        proxy = f"http://127.0.0.1:{outside.port}"
        elsewhere = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "RUNTIME__DLTHUB_TELEMETRY": "true"}
        with exploring(log, environment=elsewhere) as url:
            page = Explored(browser.new_page(viewport={"width": 1280, "height": 1000}), url)
            page.shows(f"{NUMBER} added")
            page.shows("68")  # items in all
            days = {day: items for day, items in page.marks(day="weekday").items() if items}
            assert days == stored() and len(days) == NUMBER
            values = page.marks(value="value")
            texts = {name: values.pop(name) for name in ("east", "west", "true", "10")}
            assert texts == counted("platform", "s2_degraded", "CAST(gsd AS INTEGER)")
            assert sum(values.values()) == NUMBER
            assert values["0"] == counted("eo_cloud_cover < 88.5 / 25")["true"]  # the first of 25 bins
            assert page.marks(collection="collection")["bare"] == 5
            assert page.page.locator(".vega-embed svg [aria-label*='item: ']").count() == NUMBER
            images = page.page.locator("img[src$='.png']")
            images.last.scroll_into_view_if_needed()  # before that they are not fetched
            page.page.wait_for_function(LOADED)

            api.put(full_item(NUMBER, published))
            load_published(api)  # while the page is open
            assert sum(stored().values()) == NUMBER + 1
            page.page.get_by_role("button", name="Read again").click()
            page.shows(f"{NUMBER + 1} added")
            assert sum(page.marks(day="weekday").values()) == NUMBER + 1
            page.sound()

            with subprocess.Popen(
                [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ) as holder:
                assert holder.stdout is not None and holder.stdin is not None
                assert holder.stdout.readline() == "held\n"
                page.page.get_by_role("button", name="Read again").click()
                page.shows("DuckDB lets nobody else in meanwhile")
                holder.stdin.close()
            page.page.get_by_role("button", name="Read again").click()
            page.shows(f"{NUMBER + 1} added")
            page.sound()
        assert outside.connections == 0
    assert "Traceback" not in log.read_text()


def test_a_catalog_that_was_never_loaded_says_so(project: Path, browser: Any, tmp_path: Path) -> None:
    with exploring(tmp_path / "log") as url:
        page = Explored(browser.new_page(), url)
        page.shows("Load some: stac-assets load")
        page.sound()
