"""An export of a collection that was loaded before."""

from typing import Any

from benchmarks.clock import Clock
from benchmarks.work.ours import load_range, warm_up
from stac_assets.catalog import Catalog
from stac_assets.export.exporting import export_collection
from stac_assets.settings import read_settings
from stac_assets.stac.windows import parse_day


def export(
    clock: Clock, *, url: str, collection: str, last_day: str, items: int, to: str, **rest: Any
) -> dict[str, Any]:
    """Load every daily partition, and export them all, which is measured.

    Args:
        clock: measures the export.
        url: the API.
        collection: what is loaded.
        last_day: `YYYY-MM-DD`; the first is that of the settings.
        items: how many there must be.
        to: where to.
        rest: settings of the load.
    """
    warm_up(url, collection)
    settings = read_settings(base_url=url, collections=[collection], **rest)
    load_range(settings, parse_day(last_day, "last_day"), inspected=False)
    with clock:
        done = export_collection(Catalog(settings), collection, to)
    assert done.items == items, f"{done.items} items, expected {items}"
    return {}
