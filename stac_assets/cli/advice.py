"""What `stac-assets check` advises: from when to load and in what partitions, by what collections hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stac_assets.settings import Settings
from stac_assets.stac.spans import MOST_COLLECTIONS, Span, Spans
from stac_assets.stac.windows import Granularity
from stac_assets.stac.wording import counted

MOST_PARTITIONS = 100_000
"""Partitions of an asset that Dagster recommends at most."""
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
    first, last = min(firsts), max([span.last for span in found.spans if span.last] or [today])
    if any(span.last is None for span in found.spans):  # an open extent lasts until now
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


def tell(found: Spans, settings: Settings, console: Console) -> None:
    """Print the spans, what granularities cost, and what to paste into the configuration."""
    today = datetime.now(UTC).date()
    console.print(_spans(found, today))
    for line in _notes(found, settings):
        console.print(line, markup=False)
    advice = advise(found, settings, today)
    if advice is None:
        return
    console.print(_costs(advice))
    console.print("Recommended for .dlt/config.toml, so that every item has a partition:\n", markup=False)
    for line in recommended(advice, settings, today):
        console.print(line, markup=False, soft_wrap=True)
    console.print()


def _spans(found: Spans, today: date) -> Table:
    table = Table(title="What the collections hold, of all time", title_justify="left")
    table.add_column("collection", overflow="fold")
    for heading in ("first", "last", "items", "by"):
        table.add_column(heading, justify="right" if heading == "items" else "left", no_wrap=True)
    for span in found.spans:
        about = "" if span.items is not None else "about "
        items = "not counted" if span.estimate is None else f"{about}{span.estimate:,}"
        future = " (future)" if span.last is not None and span.last > today else ""
        days = (f"{span.first or '..'}", f"{span.last or '..'}{future}")
        table.add_row(escape(span.collection), *days, items, "items" if span.is_seen else "extent")
    return table


def _notes(found: Spans, settings: Settings) -> Iterator[str]:
    many = len(found.spans)
    if not found.sorts:
        yield (
            "The API does not sort items by their time (sort extension), so the days are those that the "
            "collections' extents claim; items may lie outside of them."
        )
    elif many > MOST_COLLECTIONS:
        seen = sum(span.is_seen for span in found.spans)
        yield (
            f"Of {many} collections, {seen} were asked for their first and last items; what the others show "
            "is what their extents claim. `--collection NAME` asks for one."
        )
    if any(span.items is None and span.estimate is not None for span in found.spans):
        yield "`about`: not counted by the API; as if all items were as dense as the newest ten."
    if found.unlisted:
        names = ", ".join(found.unlisted[:10])
        yield (
            f"Items name {counted(len(found.unlisted), 'collection')} that /collections does not list: "
            f"{names}. Name them in `collections` to load them."
        )


def _costs(advice: Advice) -> Table:
    title = f"A first load from {advice.first} to {advice.last}"
    table = Table(title=title, title_justify="left")
    table.add_column("granularity")
    for heading in ("partitions", "requests, about", "runs in Dagster"):
        table.add_column(heading, justify="right")
    for cost in advice.costs:
        requests = "unknown" if cost.requests is None else f"{cost.requests:,}"
        table.add_row(str(cost.granularity), f"{cost.partitions:,}", requests, f"{cost.runs:,}")
    return table


def recommended(advice: Advice, settings: Settings, today: date) -> Iterator[str]:
    """Lines of TOML; an end only where items lie in the future, as days come by themselves."""
    yield f"[{settings.section.key}]"
    yield f'start_date = "{advice.first}"'
    if advice.last > today:
        yield f'end_date = "{advice.last}"'
    yield f'granularity = "{advice.granularity}"'
