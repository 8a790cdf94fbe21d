"""The notebook as Python has it: a module whose cells can be run, each with what others have made."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from stac_assets.cli.explore import notebook

CHOICES = ("choose_catalog", "open_tables", "count_by_month", "choose_collection", "count_by_day")
VIEWS = ("summary", "heat_map", "calendar", "map_of_footprints", "choose_properties", "histograms")
VIEWS += ("newest_items", "read_changes", "last_changes")


class Cells:
    """Runs the cells of the notebook in the current folder, as a reader who chooses a collection.

    Args:
        collection: its id; None for the one that the page begins with.
    """

    def __init__(self, collection: str | None = None) -> None:
        spec = spec_from_file_location("explored", notebook())
        assert spec is not None and spec.loader is not None
        self._module = module_from_spec(spec)
        sys.modules[spec.name] = self._module
        spec.loader.exec_module(self._module)
        self.known: dict[str, Any] = {}
        self.shown: dict[str, str] = {}
        for name in CHOICES[:4]:
            self.run(name)
        if collection is not None:
            self.known["collection"]._value = collection
        self.run(CHOICES[4])

    def run(self, name: str) -> str:
        """What a cell shows, as HTML."""
        cell = getattr(self._module, name)
        output, made = cell.run(**{ref: self.known[ref] for ref in cell.refs if ref in self.known})
        self.known |= made
        self.shown[name] = getattr(output, "text", "")
        return self.shown[name]

    def run_all(self) -> None:
        """Run the cells of all views."""
        for name in VIEWS:
            self.run(name)
