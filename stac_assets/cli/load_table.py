"""The table of a load on a terminal: a row for each collection that is under way, and sums of the others."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stac_assets.cli.collection_tally import Row
from stac_assets.cli.console import readable
from stac_assets.cli.tally import Tally
from stac_assets.cli.time_left import TimeLeft, told

MOST_ROWS = 12
"""Collections that are shown at most."""
OTHER_LINES = 9
"""Lines of a screen that are kept for the headings, the sums, and what was said before."""
WIDEST = 100
MARGIN = 3
"""Cells that stay free at the end of a line, so that the `^C` of a terminal does not begin another line."""
CHOICE_SECONDS = 5.0
"""How long the collections stay that are shown of many, unless they are over."""
BAR = 10
SHORTEST_NAME = 8
"""Cells that a name needs, before columns give way."""
SHORTEST_BESIDE_BAR, LONGEST_NAME = 12, 32
"""Cells of a name where there is a bar."""
WIDEST_BAR = 24
FAILED = "failed"
SUM = "italic"
"""The style of a row of several collections, which has no bar."""
TOTAL = ""
"""By what name the time that is left of all is estimated: no collection has it."""


class LoadTable:
    """What is shown of a tally now.

    Args:
        tally: of the load.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._left = TimeLeft()
        self._shown: list[str] = []
        self._chosen = 0.0
        self._estimated = set[str]()
        self._places = {name: place for place, name in enumerate(tally.names)}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """All collections where there is room for them; else those that are under way, and sums."""
        width = max(1, min(options.max_width - MARGIN, WIDEST))
        rows = self._rows(max(1, min(MOST_ROWS, console.height - OTHER_LINES)))
        columns = _columns(rows, width)
        names = [readable(row.name, options.ascii_only) for row, _, _ in rows]
        longest, room = max(map(cell_len, ("collection", *names))), _room(columns, width)
        has_bar = room - BAR - 1 >= min(longest, SHORTEST_BESIDE_BAR)
        longest = max(1, min(room - BAR - 1, longest, LONGEST_NAME) if has_bar else min(room, longest))
        bar = min(WIDEST_BAR, room - longest - 1) if has_bar else 0
        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(width=longest, no_wrap=True, overflow="crop" if options.ascii_only else "ellipsis")
        if bar:
            table.add_column(width=bar)
        for heading in columns:
            table.add_column(width=_width(columns, heading), no_wrap=True, justify="right")
        dim = [Text(heading, style="dim") for heading in columns]
        table.add_row(Text("collection", style="dim"), *([""] if bar else []), *dim)
        for place, (row, _, style) in enumerate(rows):
            texts = [
                Text(cells[place], style="red" if heading == FAILED else style)
                for heading, cells in columns.items()
            ]
            drawn = ProgressBar(1.0, row.fraction, bar) if style != SUM else Text()
            bars = [drawn] if bar else []
            table.add_row(Text(names[place], style=style), *bars, *texts)
        yield table

    def _rows(self, most: int) -> list[tuple[Row, str, str]]:
        """The rows, each with the time that is left and a style."""
        names, tally = self._tally.names, self._tally
        under_way = [tally.row(name) for name in tally.under_way()]
        total = tally.total()
        self._left.note([*under_way, replace(total, name=TOTAL)])
        for name in self._estimated - {row.name for row in under_way}:
            self._left.forget(name)
        self._estimated = {row.name for row in under_way}
        if len(names) <= most:
            shown = [tally.row(name) for name in names]
            return [(row, self._told(row), "") for row in shown] + self._total(total, len(names) > 1)
        shown = self._longest(under_way, most)
        found = [(row, self._told(row), "") for row in shown]
        return found + self._sums(under_way, shown, total) + self._total(total, True)

    def _longest(self, under_way: Sequence[Row], most: int) -> list[Row]:
        """Those that need longest, in the order of the load; they stay for some seconds, to be read."""
        by_name = {row.name: row for row in under_way}
        stay = [name for name in self._shown if name in by_name]
        now = time.monotonic()
        if now - self._chosen >= CHOICE_SECONDS:
            self._chosen, stay = now, []
        left = {name: self._left.seconds(name) for name in by_name}

        def need(name: str) -> float:
            seconds = left[name]
            return -1.0 if seconds is None else seconds

        others = sorted((name for name in by_name if name not in stay), key=need, reverse=True)
        self._shown = sorted([*stay, *others][:most], key=lambda name: self._places.get(name, 0))
        return [by_name[name] for name in self._shown]

    def _sums(self, under_way: Sequence[Row], shown: Sequence[Row], total: Row) -> list[tuple[Row, str, str]]:
        tally, names = self._tally, {row.name for row in shown}
        over, joint = tally.over(), tally.together()
        others = [row for row in under_way if row.name not in names]
        found: list[tuple[Row, str, str]] = []
        if others:
            name = f"{len(others):,} more under way"
            found.append((_sum(name, others), "", SUM))
        waiting = len(tally.names) - tally.collections_over - len(under_way)
        windows = total.windows - over.windows - sum(row.windows for row in under_way)
        if joint is not None:  # they may be under way already, each with some of its windows
            name = f"{tally.collections_together:,} asked for together"
            found.append((replace(joint, name=name), "", SUM))
            waiting, windows = waiting - tally.collections_together, windows - joint.windows
        if tally.collections_over:
            found.append((replace(over, name=f"{tally.collections_over:,} done"), "", SUM))
        if waiting > 0:
            found.append((Row(f"{waiting:,} waiting", max(0, windows)), "", SUM))
        return found

    def _total(self, total: Row, is_told: bool) -> list[tuple[Row, str, str]]:
        left = "" if total.is_over else told(self._left.seconds(TOTAL))
        return [(total, left, "bold")] if is_told else []

    def _told(self, row: Row) -> str:
        if row.is_over:
            return "failed" if row.failed == row.windows else "done"
        return told(self._left.seconds(row.name)) if row.is_begun else "waiting"


def _sum(name: str, rows: Sequence[Row]) -> Row:
    windows = sum(row.windows for row in rows)
    part = sum(row.fraction * row.windows for row in rows) / max(1, windows)
    done, failed = sum(row.done for row in rows), sum(row.failed for row in rows)
    return Row(name, windows, done, failed, sum(row.read for row in rows), fraction=part, is_begun=True)


def _columns(rows: Sequence[tuple[Row, str, str]], width: int) -> dict[str, list[str]]:
    """The cells beside the names, by heading: as many columns as there is room for."""
    columns = {"partitions": [f"{row.done:,}/{row.windows:,}" for row, _, _ in rows]}
    if any(row.failed for row, _, _ in rows):
        columns[FAILED] = [f"{row.failed:,}" if row.failed else "" for row, _, _ in rows]
    columns["items"] = [_items(row) for row, _, _ in rows]
    columns["time left"] = [left for _, left, _ in rows]
    for heading in ("items", "partitions", FAILED):
        if _room(columns, width) >= SHORTEST_NAME:
            break
        columns.pop(heading, None)
    return columns


def _items(row: Row) -> str:
    expected = "" if row.expected is None else f"/{row.expected:,}{'' if row.is_final else '+'}"
    return f"{row.read:,}{expected}" if row.is_begun else ""


def _room(columns: Mapping[str, Sequence[str]], width: int) -> int:
    """The cells that are left for a name, and for a bar."""
    return width - sum(_width(columns, heading) + 1 for heading in columns)


def _width(columns: Mapping[str, Sequence[str]], heading: str) -> int:
    return max(map(len, (heading, *columns[heading])))
