"""`AGENTS.md` of a project: what whoever works in it types, with the names that it has there."""

import re
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from string import Template

from stac_assets.catalog import Catalog
from stac_assets.stac.windows import Granularity, PartitionKey

TEMPLATE = "agents.md.template"
"""In `stac_assets/cli/project/`. It is not called `AGENTS.md` there, where it would be taken for one."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Example:
    """What the commands of the page load.

    Args:
        collection: its id.
        day: on which it has items.
        granularity: of the partitions.
    """

    collection: str = "COLLECTION"
    day: date = date(2024, 1, 5)
    granularity: Granularity = Granularity.DAILY

    @property
    def told(self) -> "Example":
        """The same, without an id that could be more than a name.

        The id is the API's, and stands in commands and in a page that assistants take for the user's word.
        """
        return self if _PLAIN.fullmatch(self.collection) else Example()


def agents_page(catalog: Catalog, example: Example) -> str:
    """The text of `AGENTS.md`.

    Args:
        catalog: whose names the commands have.
        example: what they load.
    """
    found = example.told
    template = (files("stac_assets") / "cli" / "project" / TEMPLATE).read_text(encoding="utf-8")
    return Template(template).substitute(
        section=catalog.section.key,
        dataset=catalog.dataset_name,
        pipeline=catalog.pipeline_name,
        prefix="".join(f"{part}/" for part in catalog.asset_path("search")[:-1]),
        of=catalog.flag,
        collection=found.collection,
        day=found.day,
        partition=PartitionKey(found.collection, found.granularity.floor(found.day)),
    )
