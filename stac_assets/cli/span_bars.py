"""The spans of collections, drawn on one axis of time, with the days that a load would fetch against them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from stac_assets.cli.console import readable
from stac_assets.stac.spans import Span
from stac_assets.stac.windows import ONE_DAY, Window

WIDEST = 80
SHORTEST_BAR = 8
LONGEST_NAME = 24
EARLIEST, LATEST = date(1900, 1, 1), date(2100, 12, 31)
"""What lies beyond does not stretch the axis, or one wrong year would leave no room for all others."""


@dataclass(frozen=True)
class Mark:
    """A character that means something.

    Args:
        character: it.
        ascii: what stands for it where only ASCII can be written.
        meaning: what the legend says.
        style: its colour, which says nothing that the character does not say.
    """

    character: str
    ascii: str
    meaning: str
    style: str = ""

    def on(self, is_ascii: bool) -> str:
        """The character, on an output that takes only ASCII or any."""
        return self.ascii if is_ascii else self.character


IN_RANGE = "in range"
SEEN = Mark("█", "#", f"items, {IN_RANGE}", "green")
SEEN_BEYOND = Mark("━", "=", "items, not in range", "green")
CLAIMED = Mark("▒", "%", f"claimed, {IN_RANGE}", "cyan")
CLAIMED_BEYOND = Mark("╌", "-", "claimed, not in range", "cyan")
FUTURE = Mark("≈", "~", "in the future", "yellow")
ONE = Mark("◆", "*", "a single day")
ONE_CLAIMED = Mark("◇", "o", "a single day, claimed")
BEFORE = Mark("◄", "<", "goes on before")
AFTER = Mark("►", ">", "goes on")
EMPTY = Mark("·", ".", f"{IN_RANGE}, no items known", "dim")
NOTHING = Mark(" ", " ", "")
UNKNOWN = Mark("?", "?", "not known")
RANGE = (Mark("├", "|", ""), Mark("─", "-", ""), Mark("┤", "|", ""))
NARROW_RANGE = Mark("│", "|", "")
LEGEND = (
    *(SEEN, SEEN_BEYOND, CLAIMED, CLAIMED_BEYOND, EMPTY, ONE, ONE_CLAIMED),
    *(BEFORE, AFTER, FUTURE, UNKNOWN),
)


@dataclass(frozen=True)
class Axis:
    """Days in cells.

    Args:
        first: the first day.
        last: the last day.
        cells: how many cells they have together.
    """

    first: date
    last: date
    cells: int

    def begin(self, day: date) -> int:
        """The first cell of a day; of one beyond the axis, that at its end."""
        return self._place(day) * self.cells // self._days

    def end(self, day: date) -> int:
        """The last cell of a day."""
        return max(self.begin(day), (self._place(day) + 1) * self.cells // self._days - 1)

    @property
    def _days(self) -> int:
        return (self.last - self.first).days + 1

    def _place(self, day: date) -> int:
        return (min(max(day, self.first), self.last) - self.first).days

    def holds(self, day: date) -> bool:
        """Whether a day is on it."""
        return self.first <= day <= self.last


class SpanBars:
    """A bar for each span below an axis, and the legend of the marks that occur.

    Args:
        spans: those of the collections that are shown.
        days: the days that a load would fetch; None for all times.
        is_open: whether no last day is configured, so that they go on.
        today: the UTC day; nothing is expected later.
    """

    def __init__(
        self, spans: Sequence[Span], days: Window | None, is_open: bool = False, today: date | None = None
    ) -> None:
        self._spans = spans
        self._days = days
        self._is_open = is_open
        self._today = today or datetime.now(UTC).date()

    @property
    def has_any(self) -> bool:
        """Whether there is something to draw."""
        return any(span.first is not None or span.last is not None for span in self._spans)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Nothing where there is no room."""
        is_ascii, width = options.ascii_only, min(options.max_width, WIDEST)
        names = [readable(span.collection, is_ascii) for span in self._spans]
        label = min(max(map(cell_len, ("range", *names))), LONGEST_NAME, max(5, width // 3))
        axis = self._axis(width - label - 2)
        if axis is None:
            return
        bars = [self._bar(span, axis) for span in self._spans]
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=label, no_wrap=True, overflow="crop" if is_ascii else "ellipsis")
        table.add_column(width=axis.cells, no_wrap=True, overflow="crop")
        table.add_row("", Text(self._scale(axis)))
        if self._days is not None:
            table.add_row(Text("range"), _text(list(self._range(axis)), is_ascii))
        for name, bar in zip(names, bars, strict=True):
            table.add_row(Text(name), Text(bar) if isinstance(bar, str) else _text(bar, is_ascii))
        yield table
        found = {mark for bar in bars if not isinstance(bar, str) for mark in bar}
        told = [f"{mark.on(is_ascii)} {mark.meaning}" for mark in LEGEND if mark in found]
        if self._days is None:
            told = [each.replace(f", {IN_RANGE}", "") for each in told]
        yield Text(_in_lines(told, width), style="dim")

    def _axis(self, cells: int) -> Axis | None:
        """From the first day that is known to the last one; what goes on needs today."""
        days = [day for span in self._spans for day in (span.first, span.last) if day is not None]
        if self._days is not None:
            days += [self._days.start, self._days.end - ONE_DAY]
        if not days or cells < SHORTEST_BAR:
            return None
        within = [day for day in days if EARLIEST <= day <= LATEST]
        if any((span.first is not None or span.last is not None) and span.goes_on for span in self._spans):
            within.append(self._today)
        within = within or [self._today]
        return Axis(min(within), max(within), cells)

    def _scale(self, axis: Axis) -> str:
        """The first and the last day, and today between them where there is room."""
        first, last = f"{axis.first}", f"{axis.last}"
        if len(first) + len(last) + 1 > axis.cells:
            first, last = first[:4], last[:4]
        if len(first) + len(last) + 1 > axis.cells:
            return first
        line = list(first + last.rjust(axis.cells - len(first)))
        place = axis.begin(self._today) - 2
        if axis.holds(self._today) and len(first) < place and place + 6 <= axis.cells - len(last):
            line[place : place + 5] = "today"
        return "".join(line)

    def _range(self, axis: Axis) -> Iterator[Mark]:
        assert self._days is not None
        first, last = axis.begin(self._days.start), axis.end(self._days.end - ONE_DAY)
        begin, middle, end = RANGE
        for cell in range(last + 1):
            if cell < first:
                yield NOTHING
            elif cell == last and self._is_open:
                yield AFTER
            elif first == last:
                yield NARROW_RANGE
            elif cell == first:
                yield begin
            else:
                yield end if cell == last else middle

    def _bar(self, span: Span, axis: Axis) -> list[Mark] | str:
        if span.first is None and span.last is None:
            return "no items" if span.items == 0 else f"{UNKNOWN.character} {UNKNOWN.meaning}"
        first, last = span.first or axis.first, span.last or self._today
        if span.goes_on:
            last = max(self._today, first)
        if first > last:  # only a claim can be so
            first, last = last, first
        begin, end = axis.begin(first), axis.end(last)
        bar = [self._mark(span, axis, cell, begin <= cell <= end) for cell in range(axis.cells)]
        if span.first == span.last and first <= self._today:
            bar[begin : end + 1] = [ONE if span.is_seen else ONE_CLAIMED] * (end + 1 - begin)
        if span.first is None or first < axis.first:
            bar[begin] = BEFORE
        if span.goes_on or last > axis.last:
            bar[end] = AFTER
        return bar

    def _mark(self, span: Span, axis: Axis, cell: int, is_held: bool) -> Mark:
        is_in_range = True
        if self._days is not None:
            is_in_range = axis.begin(self._days.start) <= cell <= axis.end(self._days.end - ONE_DAY)
        if not is_held:
            return EMPTY if is_in_range and self._days is not None else NOTHING
        if self._today < axis.first or cell > axis.end(self._today):
            return FUTURE
        if span.is_seen:
            return SEEN if is_in_range else SEEN_BEYOND
        return CLAIMED if is_in_range else CLAIMED_BEYOND


def _in_lines(parts: Sequence[str], width: int) -> str:
    """Parts side by side, and in the next line where there is no more room."""
    lines = [""]
    for part in parts:
        longer = f"{lines[-1]}  {part}" if lines[-1] else part
        lines[-1:] = [longer] if len(longer) <= width else [lines[-1], part]
    return "\n".join(lines)


def _text(marks: Sequence[Mark], is_ascii: bool) -> Text:
    text = Text()
    for mark in marks:
        text.append(mark.on(is_ascii), style=mark.style)
    return text
