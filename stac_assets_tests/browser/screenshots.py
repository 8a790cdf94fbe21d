"""The pictures of the documentation: `make screenshots` writes docs/*.png, from generated data.

All but one show the demo, one of them in the notebook, and one shows a project with three catalogs. Both are
loaded into folders that are removed afterwards.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stac_assets.demo.catalog import COLLECTIONS, LAST_DAY
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.browser.chromium import PROGRAMS, chromium, find_chromium
from stac_assets_tests.browser.dagster_dev import DagsterDev
from stac_assets_tests.browser.three_catalogs import SAMPLES, three_catalogs
from stac_assets_tests.browser.ui import Ui
from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.explore.page import exploring

DOCS = REPOSITORY / "docs"
PARTITION = f"{COLLECTIONS[0]}|{LAST_DAY}"
OPENED, *CLOSED = sorted(sample.name for sample in SAMPLES)
"""The catalog whose assets are seen, and those of which only the name is."""
PIXELS = 1600
"""The width of the pictures."""
BACKFILL_PATIENCE = 900.0
MARGIN, OF_PROPERTIES = 24, 330
"""Pixels of the notebook that are seen above the first heading, and below that of the properties."""

Size = tuple[int, int]


def graph(ui: Ui) -> None:
    """The assets, so large that each shows its checks, partitions and automations."""
    ui.open("/asset-groups", "Materialize all (9)")
    ui.click("Hide navigation")
    ui.click("panel_show_right")  # hides the list of assets
    width, height = SIZES[graph]
    ui.page.mouse.dblclick(width * 3 / 4, height * 7 / 8)  # where nothing is: the graph fills the page
    ui.page.get_by_text("Passed").nth(len(ENDPOINTS) - 1).wait_for()
    ui.page.locator("foreignObject").get_by_role("img", name="sensor").wait_for()


def partition(ui: Ui) -> None:
    """A partition with its figures, and its footprints on the map."""
    ui.open_partition("search", PARTITION, "footprints")
    ui.click("Hide navigation")
    ui.page.get_by_text("[Show Markdown]").first.click()
    ui.page.get_by_role("dialog").locator("img").wait_for()


def checks(ui: Ui) -> None:
    """The checks of `search`, one of them with its figures over time."""
    ui.open("/assets/search?view=checks&checkDetail=row_count", "Checks (7)")
    ui.click("Hide navigation")
    ui.page.locator("canvas").last.wait_for()


def catalogs(ui: Ui) -> None:
    """Three catalogs, each a group of assets, of which one is opened."""
    ui.open(
        f"/asset-groups?expanded=global%40global%3A{OPENED}",
        f"Materialize all ({len(SAMPLES) * len(ENDPOINTS)})",
    )
    ui.shows("landing_pages")
    ui.click("Hide navigation")
    ui.click("panel_show_right")  # hides the list of assets
    width, height = SIZES[catalogs]
    below = width * 3 / 4, height * 4 / 5  # where nothing is, beside the groups that are closed
    ui.page.mouse.dblclick(*below)  # the graph fills the page
    ui.page.get_by_text("Passed").nth(len(ENDPOINTS) - 1).wait_for()
    ui.page.mouse.move(*below)
    ui.page.mouse.down()
    ui.page.mouse.move(below[0], below[1] + HEADING, steps=4)
    ui.page.mouse.up()
    ui.shows(OPENED, ui.page.locator("foreignObject"))
    for name in CLOSED:
        group = ui.page.locator("foreignObject").filter(has_text=name)
        group.get_by_text("9", exact=True).wait_for()  # all are materialized but the API itself
    ui.page.locator("foreignObject").get_by_role("img", name="sensor").wait_for()


PICTURES: dict[str, Callable[[Ui], None]] = {"asset-graph": graph, "partition": partition, "checks": checks}
PICTURES_OF_CATALOGS = {"catalogs": catalogs}
SIZES: dict[Callable[[Ui], None], Size] = {
    graph: (1760, 900),
    partition: (1600, 940),
    checks: (1600, 980),
    catalogs: (1760, 1120),
}
"""Of the page, in CSS pixels."""
HEADING = 48
"""How far down the graph is drawn, so that the opened group's heading is seen."""


def main() -> int:
    program = find_chromium()
    if program is None:
        print(f"no {', '.join(PROGRAMS)} on the PATH", file=sys.stderr)
        return 1
    with TemporaryDirectory(prefix="stac-assets-") as temporary, chromium(program) as browser:
        with demo(Path(temporary) / "demo") as dagster:
            take(dagster.url, browser, DOCS, PICTURES)
        explored(Path(temporary) / "demo", browser, DOCS)
        with loaded_catalogs(Path(temporary) / "catalogs") as dagster:
            take(dagster.url, browser, DOCS, PICTURES_OF_CATALOGS)
    return 0


@contextmanager
def demo(folder: Path) -> Iterator[DagsterDev]:
    """`dagster dev` on what the demo has loaded."""
    command = [str(Path(sys.executable).with_name("stac-assets")), "demo", "--folder", str(folder)]
    subprocess.run(command, check=True)
    with DagsterDev(folder, DAGSTER_HOME=str(folder)) as dagster:
        yield dagster


def explored(folder: Path, browser: Any, docs: Path) -> None:
    """Take the picture of what `stac-assets explore` shows of the demo: calendar, map, first properties."""
    with exploring(folder / "explore.log", folder) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 2400})
        page.goto(url)
        page.get_by_text("Last changes").first.wait_for()
        page.wait_for_load_state("networkidle")
        headings = [page.get_by_role("heading", name=name) for name in ("Items per day", "Properties")]
        top, bottom = (heading.bounding_box()["y"] for heading in headings)
        top, bottom = top - MARGIN, bottom + OF_PROPERTIES
        clip = {"x": 80, "y": top, "width": 1120, "height": bottom - top}
        page.screenshot(path=docs / "explore.png", animations="disabled", clip=clip)
        print(docs / "explore.png")
        page.close()


@contextmanager
def loaded_catalogs(folder: Path) -> Iterator[DagsterDev]:
    """`dagster dev` on three catalogs, after a backfill of all that they have."""
    with three_catalogs(folder) as dagster:
        assets = [f"{sample.name}/{endpoint}" for sample in SAMPLES for endpoint in ENDPOINTS]
        dagster.backfill(assets, within=BACKFILL_PATIENCE, allPartitions=True)
        yield dagster


def take(url: str, browser: Any, docs: Path, pictures: dict[str, Callable[[Ui], None]]) -> None:
    """Take pictures of the UI at `url`."""
    for name, show in pictures.items():
        width, height = SIZES[show]
        page = browser.new_page(
            viewport={"width": width, "height": height}, device_scale_factor=PIXELS / width
        )
        show(Ui(page, url))
        page.screenshot(path=docs / f"{name}.png", animations="disabled")
        print(docs / f"{name}.png")
        page.close()


if __name__ == "__main__":
    sys.exit(main())
