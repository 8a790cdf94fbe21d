"""`stac-assets load`: an endpoint of a STAC API into its table, without Dagster."""

import argparse
import logging
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stac_assets.api import request_for
from stac_assets.catalog import Catalog
from stac_assets.cli.console import LOGGER, catalog_from, tell_error
from stac_assets.cli.interrupts import interruptible
from stac_assets.cli.progress import LoadDisplay, is_live
from stac_assets.cli.tally import Tally
from stac_assets.pipeline.load import load
from stac_assets.pipeline.load_result import LoadResult, PartsFailed
from stac_assets.source.changes.by_window import ChangesByWindow
from stac_assets.source.changes.feed import ADDED, CHANGED, REMOVED
from stac_assets.source.fetched import NamedItems
from stac_assets.source.request import LoadRequest
from stac_assets.stac.endpoints import ENDPOINTS, SEARCH, Endpoint
from stac_assets.stac.errors import Cancelled, EndpointMissing
from stac_assets.stac.windows import ONE_DAY

logger = logging.getLogger(LOGGER)


def run(arguments: argparse.Namespace) -> int:
    """Load every resource that was asked for, in the order in which one needs another."""
    asked = arguments.resource or (SEARCH.name,)
    endpoints = [endpoint for name, endpoint in ENDPOINTS.items() if name in asked]
    if arguments.id and not any(endpoint.looks_up_items for endpoint in endpoints):
        arguments.usage_error("--id needs --resource item")
    return _Command(catalog_from(arguments), tuple(arguments.id or ())).run(endpoints)


class _Command:
    def __init__(self, catalog: Catalog, ids: tuple[str, ...]) -> None:
        self._catalog = catalog
        self._settings = catalog.settings
        self._ids = ids
        self._stdout = Console()
        self._stderr = Console(stderr=True)

    def run(self, endpoints: Sequence[Endpoint]) -> int:
        status = 0
        for endpoint in endpoints:
            try:
                self._load(endpoint)
            except (PartsFailed, EndpointMissing) as error:
                tell_error(str(error))  # the other resources can still be loaded
                status = 1
        return status

    def _load(self, endpoint: Endpoint) -> None:
        resource = endpoint.name
        with interruptible(is_told=is_live(self._stderr)) as cancelled:
            display = None
            try:
                request = request_for(endpoint, self._catalog, self._ids)
                with LoadDisplay(resource, self._tally(request), self._stderr, cancelled) as display:
                    if days := self._whole_windows(request):
                        display.say(f"takes whole windows, which are the days {days}")
                    result = load(
                        request,
                        self._catalog,
                        progress=display,
                        cancelled=cancelled,
                        stage=display.stage,
                        doing=f"stac-assets load{self._catalog.flag} --resource {resource}",
                        tell=display.say,
                    )
            except (KeyboardInterrupt, Cancelled):
                storing = display is not None and display.is_storing
                raise KeyboardInterrupt(_interruption(resource, storing)) from None
        self._report(result)
        result.raise_on_failures()

    def _whole_windows(self, request: LoadRequest) -> str | None:
        """The days that are loaded, where they are more than was asked for."""
        if not request.windows:
            return None
        first = min(window.start for window in request.windows)
        last = max(window.end for window in request.windows) - ONE_DAY
        asked_first, asked_last = self._settings.start_date, self._settings.end_date or last
        return f"{first} to {last}" if first < asked_first or last > asked_last else None

    def _tally(self, request: LoadRequest) -> Tally:
        expected = Counter[str]()
        for window, ids in request.item_ids.items():
            expected[window.collection] += len(ids)
        return Tally(request.windows, expected, self._settings.max_items)

    def _report(self, result: LoadResult) -> None:
        if result.load_info is not None:
            logger.info("%s", result.load_info)
        line = f"{result.request.endpoint.name} → {result.location or 'nothing was stored'}"
        self._stdout.print(line, markup=False, highlight=False, soft_wrap=True)
        self._stdout.print(summary(result))


def _interruption(resource: str, storing: bool) -> str:
    """What Ctrl-C means for the table."""
    if storing:
        return (
            f"interrupted while {resource} was being stored, so it may be stored or not; "
            "the same command again makes it exact"
        )
    return f"interrupted while {resource} was being fetched; nothing was stored of it"


def summary(result: LoadResult) -> Table:
    """The figures of a load as a table of two columns."""
    figures, has_items = result.figures, result.request.endpoint.has_items
    table = Table(show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    if has_items:
        failed = f" ({len(result.failed)} failed)" if result.failed else ""
        table.add_row("partitions", f"{len(result.windows):,}{failed}")
    table.add_row("items" if has_items else "rows", f"{figures.items:,}")
    table.add_row("requests", f"{figures.requests:,}")
    if has_items:
        for name, value in _item_figures(result):
            table.add_row(name, value)
    table.add_row("seconds", f"{result.fetch_seconds + result.store_seconds:.1f}")
    return table


def _named_items(result: LoadResult) -> list[tuple[str, str]]:
    """What came with the answer for other dates, by id and owning partition; of each kind the first few."""
    kinds = {
        "found by other dates only": [window.brought_by_others for window in result.windows],
        "sent, owned outside of this load": [window.strays for window in (*result.windows, *result.failed)],
    }
    found: list[tuple[str, str]] = []
    for name, of_windows in kinds.items():
        items = NamedItems()
        for each in of_windows:
            items.merge(each)
        if items:
            found.append((name, escape(f"{items.count:,}: {items}")))
    incomplete = dict.fromkeys(window.incomplete for window in result.windows if window.incomplete)
    return found + [("may lack items", escape(why)) for why in incomplete]


def _told(changes: ChangesByWindow) -> str:
    """How many items were added, changed and removed, as far as any were."""
    found = changes.totals()
    kinds = dict.fromkeys((ADDED, CHANGED, REMOVED, *sorted(found)))
    return ", ".join(f"{found[kind]:,} {kind}" for kind in kinds if found[kind]) or "none"


def _item_figures(result: LoadResult) -> list[tuple[str, str]]:
    figures = result.figures
    misfits = "\n".join(
        f"{escape(name)}: {count:,}" for name, count in sorted(result.misfits.items()) if count
    )
    changes = [] if result.changes is None else [("changes", _told(result.changes))]
    found = [
        *changes,
        ("duplicates", f"{figures.duplicates:,}"),
        ("owned by other partitions", f"{figures.items_owned_elsewhere:,}"),
        ("rejected", f"{figures.rejected_items:,}"),
        ("values that fit no column", misfits or "0"),
    ]
    found += _named_items(result)
    shrunk = [window for window in result.windows if window.shrinkage is not None]
    if shrunk:
        kept = sum(window.shrinkage is not None and window.shrinkage.is_confirmed for window in shrunk)
        found.append(("asked for once more", f"{len(shrunk):,}, of which {kept:,} stayed almost empty"))
    if figures.page_size_reductions:
        found.append(("smaller pages asked for", f"{figures.page_size_reductions:,}"))
    if figures.items_outside_bbox:
        found.append(("outside of the bbox, kept", f"{figures.items_outside_bbox:,}"))
    deleted = sum(len(window.deleted) for window in result.windows)
    if deleted:
        found.append(("ids without a row now", f"{deleted:,}"))
    if not figures.complete:
        found.append(("complete", "no, a sample (max_items)"))
    return found
