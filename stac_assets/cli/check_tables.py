"""The tables of `stac-assets check`: without lines, so that all of it fits on a screen."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from rich.markup import escape
from rich.table import Table

from stac_assets.cli.console import readable, sized
from stac_assets.cli.span_bars import SpanBars
from stac_assets.settings import Settings
from stac_assets.stac.spans import Span, Spans
from stac_assets.stac.survey import CollectionEstimate, Presence, Survey
from stac_assets.stac.windows import ONE_DAY

STYLES = {Presence.PRESENT: "green", Presence.NOT_ASKED: "yellow"}
MOST_ROWS = 10
"""The collections that are shown, where not all are named by the user."""


def plain_table(*headings: str, right: Sequence[str] = ()) -> Table:
    """A table whose columns stand two blanks apart; those of the headings in `right` end at one line."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=bool(headings))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return table


def endpoints(found: Survey) -> Table:
    """Each endpoint, whether it is there, and what came."""
    table = plain_table("endpoint", "there", "what came")
    for probe in found.probes:
        style = STYLES.get(probe.presence, "red")
        table.add_row(probe.endpoint, f"[{style}]{probe.presence}[/]", escape(readable(probe.detail)))
    return table


def facts(lines: Sequence[tuple[str, str]]) -> Table:
    """A label and a line in each row."""
    table = plain_table()
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for label, line in lines:
        table.add_row(label, escape(readable(line)))
    return table


def collections(found: Survey, spans: Spans | None, settings: Settings) -> Table:
    """What each collection holds: of all time, and of the days that a load would fetch."""
    numbers = ("items", "each", "in range", "size")
    table = plain_table("collection", "first", "last", *numbers, right=numbers)
    held = {span.collection: span for span in spans.spans} if spans is not None else {}
    shown = _shown(found, settings)
    for estimate in shown:
        name = estimate.window.collection
        table.add_row(escape(readable(name)), *_held(held.get(name, Span(name))), *_in_range(estimate))
    if len(held) > len(shown):
        table.add_row(f"… {len(held) - len(shown):,} more")
    return table


def drawn(found: Survey, spans: Spans | None, settings: Settings, is_configured: bool) -> SpanBars:
    """When each of these collections has items, on one axis of time.

    Args:
        found: what was found of the collections.
        spans: their spans.
        settings: the days that a load would fetch.
        is_configured: whether there are such days, and not all times.
    """
    held = {span.collection: span for span in spans.spans} if spans is not None else {}
    names = [estimate.window.collection for estimate in _shown(found, settings)]
    days = found.estimates[0].window if is_configured else None
    return SpanBars([held.get(name, Span(name)) for name in names], days, settings.end_date is None)


def _shown(found: Survey, settings: Settings) -> Sequence[CollectionEstimate]:
    return found.estimates[:MOST_ROWS] if settings.all_collections else found.estimates


def legend(found: Survey, settings: Settings) -> str:
    """What the table of collections means, in a line."""
    days = found.estimates[0].window
    narrowed = ", as the settings narrow them" if settings.narrowing else ""
    return f"in range: from {days.start} to {days.end - ONE_DAY}{narrowed}; ~: about; (): claimed, not seen"


def _held(span: Span) -> tuple[str, str, str]:
    first, last = (_day(day, span.is_seen) for day in (span.first, span.last))
    about = "" if span.items is not None else "~"
    return first, last, "?" if span.estimate is None else f"{about}{span.estimate:,}"


def _day(day: date | None, is_seen: bool) -> str:
    if day is None:
        return ".."
    text = f"{day}" if is_seen else f"({day})"
    return f"[yellow]{text}[/]" if day > datetime.now(UTC).date() else text


def _in_range(estimate: CollectionEstimate) -> tuple[str, str, str]:
    if estimate.error is not None:
        return "", "[red]not readable[/]", ""
    each, total = (
        "?" if size is None else sized(size) for size in (estimate.item_bytes, estimate.total_bytes)
    )
    return each, "?" if estimate.items is None else f"{estimate.items:,}", total
