"""A year that is loaded again, and in which nothing has changed."""

from typing import Any

from benchmarks.clock import Clock
from benchmarks.work.ours import FILE, check_table, load_range, warm_up
from stac_assets.settings import read_settings
from stac_assets.stac.windows import parse_day


def load_again(
    clock: Clock, *, url: str, collection: str, last_day: str, items: int, **rest: Any
) -> dict[str, Any]:
    """Load every daily partition into a new DuckDB file, and once more, which is measured.

    Args:
        clock: measures the second load.
        url: the API.
        collection: what is loaded.
        last_day: `YYYY-MM-DD`; the first is that of the settings.
        items: how many there must be.
        rest: settings of the load.
    """
    warm_up(url, collection)
    settings, last = (
        read_settings(base_url=url, collections=[collection], **rest),
        parse_day(last_day, "last_day"),
    )
    first = load_range(settings, last, inspected=False)
    size = FILE.stat().st_size
    with clock:
        again = load_range(settings, last, inspected=False)
    check_table(items)
    assert len(again.unchanged) == len(again.windows) and FILE.stat().st_size == size
    return {
        "first_store_seconds": first.store_seconds,
        "store_seconds": again.store_seconds,
        "fetch_seconds": again.fetch_seconds,
    }
