"""A project with three catalogs: sample APIs on this machine, each with collections and dates of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from stac_assets_tests.browser.dagster_dev import DagsterDev, make_dagster_project
from stac_assets_tests.stac_api import StacApi, make_collection, make_item

START, END = "2024-01-01", "2024-03-31"


@dataclass(frozen=True)
class Sample:
    """A catalog, and the partition of it that somebody materializes.

    Args:
        name: of the catalog.
        granularity: how its dates are partitioned.
        collections: what its API has.
        date: of the partition of the first collection; each catalog's has another number of items.
        items: how many items the API has in it.
    """

    name: str
    granularity: str
    collections: tuple[str, str]
    date: str
    items: int

    @property
    def asset(self) -> str:
        """The key of `search`."""
        return f"{self.name}/search"

    @property
    def collection(self) -> str:
        return self.collections[0]

    @property
    def partition(self) -> str:
        return f"{self.collection}|{self.date}"

    @property
    def ids(self) -> list[str]:
        """Of the items in the partition."""
        return [f"{self.name}-{number}" for number in range(self.items)]

    def api(self) -> StacApi:
        """The API, which is not yet served."""
        items = [make_item(id, self.collection, f"{self.date}T10:00:00Z") for id in self.ids]
        return StacApi(collections=[make_collection(name) for name in self.collections], items=items)


SAMPLES = (
    Sample("planetary_computer", "monthly", ("naip", "landsat-c2-l2"), "2024-02-01", 5),
    Sample("dea", "yearly", ("ga_ls8c_ard_3", "ga_ls9c_ard_3"), "2024-01-01", 4),
    Sample("earth_search", "daily", ("sentinel-2-l2a", "sentinel-1-grd"), "2024-01-05", 3),
)
"""They are named as in docs/catalogs.md; what they serve is made up."""


@contextmanager
def three_catalogs(folder: Path) -> Iterator[DagsterDev]:
    """`dagster dev` in a new project folder, whose `.dlt/config.toml` names the three."""
    make_dagster_project(folder)
    with ExitStack() as served:
        catalogs = {
            sample.name: {
                "base_url": served.enter_context(sample.api()).url,
                "collections": list(sample.collections),
                "granularity": sample.granularity,
            }
            for sample in SAMPLES
        }
        config = tomlkit.parse((folder / ".dlt" / "config.toml").read_text(encoding="utf-8"))
        config["sources"] = {
            "pystac_client_source": {"start_date": START, "end_date": END, "catalogs": catalogs}
        }
        (folder / ".dlt" / "config.toml").write_text(tomlkit.dumps(config), encoding="utf-8")
        yield served.enter_context(DagsterDev(folder))
