"""What `stac-assets check` advises: from when to load and in what partitions, by what collections hold."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rich.console import Console
from rich.table import Table

from stac_assets.cli.check_tables import plain_table
from stac_assets.cli.findings import Findings
from stac_assets.settings import Settings
from stac_assets.settings.partition_count import MOST_PARTITIONS
from stac_assets.settings.values import ALL_COLLECTIONS, ITEM_ASSETS
from stac_assets.stac.asked_once import AskedOnce
from stac_assets.stac.largest_page import LargestPage
from stac_assets.stac.spans import MOST_COLLECTIONS, Span, Spans
from stac_assets.stac.survey import Presence, Survey
from stac_assets.stac.windows import Granularity
from stac_assets.stac.wording import counted

DAYS = {
    Granularity.DAILY: 1,
    Granularity.WEEKLY: 7,
    Granularity.MONTHLY: 30,
    Granularity.YEARLY: 365,
}
"""How many days a window of each granularity has, about."""


@dataclass(frozen=True)
class Cost:
    """What the first load of all days costs in windows of a granularity.

    Args:
        granularity: of the windows.
        partitions: all collections × all dates, as they are in Dagster.
        requests: about how many, of the collections whose number of items is known; None where none is.
        runs: of a backfill that goes along the dates.
    """

    granularity: Granularity
    partitions: int
    requests: int | None
    runs: int


@dataclass(frozen=True)
class Advice:
    """The range of days that has all items, and the granularity that suits it.

    Args:
        first: the first day of any item.
        last: the last day of any item.
        costs: of each granularity.
        granularity: the one that is recommended.
    """

    first: date
    last: date
    costs: tuple[Cost, ...]
    granularity: Granularity


def advise(found: Spans, settings: Settings, today: date) -> Advice | None:
    """What to set for these spans; None where no day is known."""
    firsts = [span.first for span in found.spans if span.first is not None]
    if not firsts:
        return None
    lasts = [span.last for span in found.spans if span.last is not None and not span.goes_on]
    first, last = min(firsts), max(lasts or [today])
    if any(span.goes_on for span in found.spans):  # an open extent lasts until now
        last = max(last, today)
    last = max(first, last)
    costs = tuple(_cost(granularity, first, last, found.spans, settings) for granularity in Granularity)
    densest = max((_per_day(span) or 0 for span in found.spans), default=0)
    full = [g for g in Granularity if densest * DAYS[g] >= settings.page_size]
    choice = full[0] if full else Granularity.YEARLY
    few = [cost.granularity for cost in costs if cost.partitions <= MOST_PARTITIONS] or [Granularity.YEARLY]
    return Advice(first, last, costs, max(choice, few[0], key=list(Granularity).index))


def _per_day(span: Span) -> float | None:
    if span.estimate is None or span.first is None or span.last is None:
        return None
    return span.estimate / ((span.last - span.first).days + 1)


def _cost(
    granularity: Granularity, first: date, last: date, spans: Sequence[Span], settings: Settings
) -> Cost:
    dates = sum(1 for _ in granularity.starts(first, last))
    requests = [pages + min(dates, pages) for pages in _pages(spans, settings.page_size)]
    runs = len(spans) * -(-dates // settings.max_partitions_per_run)
    return Cost(granularity, dates * len(spans), sum(requests) if requests else None, runs)


def _pages(spans: Sequence[Span], page_size: int) -> Iterator[int]:
    """How many full pages each collection has; an empty one is asked for as well."""
    for span in spans:
        if span.estimate is not None:
            yield max(1, -(-span.estimate // page_size))


def tell(
    found: Survey, further: Findings, settings: Settings, api: AskedOnce, console: Console
) -> Advice | None:
    """Print what the spans do not say, what granularities cost, and what to paste into the configuration.

    Returns:
        What is recommended; None where no day is known.
    """
    today = datetime.now(UTC).date()
    size = page_size(further.largest, settings)
    if further.spans is None:
        return None
    for line in _notes(further.spans):
        console.print(line, markup=False)
    advice = advise(further.spans, settings.with_(page_size=size or settings.page_size), today)
    if advice is not None:
        console.print()
        console.print(_costs(advice))
    console.print("\nRecommended, in place of this section of .dlt/config.toml:", markup=False)
    for line in recommended(advice, found, settings, api, size, today):
        console.print(line, markup=False, soft_wrap=True)
    console.print()
    return advice


def page_size(largest: LargestPage | None, settings: Settings) -> int | None:
    """The page size to set: what was seen to work, or the configured one if that does; None if unknown."""
    if largest is None or (largest.proven is None and largest.limit is None):
        return None
    if "page_size" in settings.model_fields_set or largest.proven is None or not largest.is_full:
        return min(settings.page_size, largest.limit or settings.page_size)
    return largest.proven


def _notes(found: Spans) -> Iterator[str]:
    many = len(found.spans)
    if not found.sorts:
        yield "The API does not sort items by their time: days are what the extents claim."
    elif many > MOST_COLLECTIONS:
        seen = sum(span.is_seen for span in found.spans)
        yield (
            f"Of {many} collections, {seen} were asked for their first and last items; what the others show "
            "is what their extents claim. `--collection NAME` asks for one."
        )
    if found.unlisted:
        names = ", ".join(found.unlisted[:10])
        yield (
            f"Items name {counted(len(found.unlisted), 'collection')} that /collections does not list: "
            f"{names}. Name them in `collections` to load them."
        )


def _costs(advice: Advice) -> Table:
    """One column for each granularity."""
    granularities = [str(cost.granularity) for cost in advice.costs]
    table = plain_table("a first load", *granularities, right=granularities)
    requests = ("?" if cost.requests is None else f"{cost.requests:,}" for cost in advice.costs)
    table.add_row("partitions", *(f"{cost.partitions:,}" for cost in advice.costs))
    table.add_row("requests, about", *requests)
    table.add_row("runs in Dagster", *(f"{cost.runs:,}" for cost in advice.costs))
    return table


def recommended(
    advice: Advice | None,
    found: Survey,
    settings: Settings,
    api: AskedOnce,
    size: int | None,
    today: date,
) -> Iterator[str]:
    """Lines of TOML; an end only as configured, or where items lie in the future: days come by themselves."""
    yield f"[{settings.section.key}]"
    yield f"base_url = {json.dumps(api.landing.url.rstrip('/'))}"
    yield f"collections = {_collections(found, settings)}"
    if advice is not None:
        yield f'start_date = "{advice.first}"'
        if end := settings.end_date or (advice.last if advice.last > today else None):
            yield f'end_date = "{end}"'
        yield f'granularity = "{advice.granularity}"'
    if size is not None:
        yield f"page_size = {size}"
    if api.post_refused is not None or settings.search_method == "GET":
        yield 'search_method = "GET"'
    there = [name for name in ITEM_ASSETS if found.probe(name).presence is Presence.PRESENT]
    if found.lacking(settings.item_assets) and there:
        yield f"item_assets = {json.dumps(there[:1])}"


def _collections(found: Survey, settings: Settings) -> str:
    """Those that are named and can be read; `*` where all are asked for."""
    if settings.all_collections:
        return json.dumps(ALL_COLLECTIONS)
    lost = {estimate.window.collection for estimate in found.unreadable}
    names = [name for name in settings.named_collections if name not in lost]
    return json.dumps(names or ALL_COLLECTIONS, ensure_ascii=False)
