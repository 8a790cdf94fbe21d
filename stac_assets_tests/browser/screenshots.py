"""The pictures of the README: `make screenshots` writes docs/*.png, from the demo's data.

The demo is loaded into a folder that is removed afterwards.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stac_assets.demo.catalog import COLLECTIONS, LAST_DAY
from stac_assets_tests.browser.chromium import PROGRAMS, chromium, find_chromium
from stac_assets_tests.browser.dagster_dev import DagsterDev
from stac_assets_tests.browser.ui import Ui
from stac_assets_tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PARTITION = f"{COLLECTIONS[0]}|{LAST_DAY}"
WIDTH = 1600


def graph(ui: Ui) -> None:
    """The assets, next to each other, as large as fits."""
    ui.open("/asset-groups", "Materialize all (9)")
    ui.click("Hide navigation")
    ui.page.get_by_role("button").filter(has=ui.page.get_by_role("img", name="panel_hide")).first.click()
    ui.page.wait_for_timeout(3000)


def partition(ui: Ui) -> None:
    """A partition with its figures, and its footprints on the map."""
    ui.open_partition("search", PARTITION, "footprints")
    ui.page.get_by_text("[Show Markdown]").first.click()
    ui.page.get_by_role("dialog").locator("img").wait_for()


def checks(ui: Ui) -> None:
    """The checks of `search`, one of them with its figures."""
    ui.open("/assets/search?view=checks&checkDetail=row_count", "Checks (7)")
    ui.shows("Plots")


PICTURES: dict[str, tuple[Callable[[Ui], None], int]] = {
    "asset-graph": (graph, 760),
    "partition": (partition, 1100),
    "checks": (checks, 900),
}
"""What a picture shows, and how high it is."""


def main() -> int:
    program = find_chromium()
    if program is None:
        print(f"no {', '.join(PROGRAMS)} on the PATH", file=sys.stderr)
        return 1
    with TemporaryDirectory(prefix="stac-assets-") as temporary:
        folder = Path(temporary) / "demo"
        command = [str(Path(sys.executable).with_name("stac-assets")), "demo", "--folder", str(folder)]
        subprocess.run(command, check=True)
        take(folder, program)
    return 0


def take(folder: Path, program: str) -> None:
    """Take all pictures of a demo that is loaded."""
    home = str(folder / ".dagster")
    definitions = ("-m", "stac_assets.definitions")
    with DagsterDev(folder, definitions, DAGSTER_HOME=home) as dagster, chromium(program) as browser:
        for name, (show, height) in PICTURES.items():
            page: Any = browser.new_page(viewport={"width": WIDTH, "height": height})
            show(Ui(page, dagster.url))
            page.screenshot(path=DOCS / f"{name}.png")
            print(DOCS / f"{name}.png")
            page.close()


if __name__ == "__main__":
    sys.exit(main())
