"""The pictures of the documentation: `make screenshots` writes docs/*.png, from the demo's data.

The demo is loaded into a folder that is removed afterwards.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stac_assets.demo.catalog import COLLECTIONS, LAST_DAY
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets_tests.browser.chromium import PROGRAMS, chromium, find_chromium
from stac_assets_tests.browser.dagster_dev import DagsterDev
from stac_assets_tests.browser.ui import Ui
from stac_assets_tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PARTITION = f"{COLLECTIONS[0]}|{LAST_DAY}"
PIXELS = 1600
"""The width of the pictures."""

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


PICTURES: dict[str, Callable[[Ui], None]] = {"asset-graph": graph, "partition": partition, "checks": checks}
SIZES: dict[Callable[[Ui], None], Size] = {graph: (1760, 900), partition: (1600, 940), checks: (1600, 980)}
"""Of the page, in CSS pixels."""


def main() -> int:
    program = find_chromium()
    if program is None:
        print(f"no {', '.join(PROGRAMS)} on the PATH", file=sys.stderr)
        return 1
    with TemporaryDirectory(prefix="stac-assets-") as temporary:
        folder = Path(temporary) / "demo"
        command = [str(Path(sys.executable).with_name("stac-assets")), "demo", "--folder", str(folder)]
        subprocess.run(command, check=True)
        with DagsterDev(folder, DAGSTER_HOME=str(folder)) as dagster, chromium(program) as browser:
            take(dagster.url, browser, DOCS)
    return 0


def take(url: str, browser: Any, docs: Path) -> None:
    """Take all pictures of the UI at `url`."""
    for name, show in PICTURES.items():
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
