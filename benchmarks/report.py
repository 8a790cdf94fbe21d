"""The tables of what was found: in the terminal, and in benchmarks/README.md."""

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.results import Findings, Line

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- results: written by `make bench WRITE=1` -->", "<!-- end of results -->"
PACKAGES = (
    "stac-assets",
    "dlt",
    "duckdb",
    "dagster",
    "pyarrow",
    "rustac",
    "stac-geoparquet",
    "pystac-client",
)

_LINES = ("scenario", "what", "median s", "items/s", "peak MB", "of it")
_VERDICTS = ("target", "what", "measured", "aim", "")
_TEXTS = {"scenario", "what", "of it", "aim", "target", ""}
"""Columns that are read from the left."""

Rows = list[tuple[str, ...]]


def print_report(findings: Findings, form: str, console: Console) -> None:
    """Show what was found as two tables."""
    console.print(about(form), highlight=False)
    for names, rows in ((_LINES, _line_rows(findings)), (_VERDICTS, _verdict_rows(findings))):
        table = Table()
        for name in names:
            table.add_column(name, justify="left" if name in _TEXTS else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for failure in findings.failures:
        console.print(f"FAILED {failure}", style="red", markup=False, highlight=False)


def write_report(findings: Findings, form: str) -> None:
    """Put the same tables between the marks in benchmarks/README.md."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    tables = [
        _markdown(_LINES, _line_rows(findings)),
        _markdown(_VERDICTS, _verdict_rows(findings)),
        "\n".join(f"- failed: {failure.splitlines()[0]}" for failure in findings.failures),
    ]
    body = "\n\n".join(part for part in (BEGIN, about(form), *tables, END) if part)
    README.write_text(before + body + after, encoding="utf-8")


def about(form: str) -> str:
    """When and on what it was measured."""
    found = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}"
    python = f"Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {form}; {machine}; {python}, {', '.join(found)}."


def _line_rows(findings: Findings) -> Rows:
    return [
        (
            line.scenario,
            line.what,
            f"{line.seconds:.2f}",
            f"{line.rate:,.0f}" if line.rate is not None else "",
            f"{line.peak_mb:,.0f}" if line.peak_mb else "",
            _note(line),
        )
        for line in findings.lines
    ]


def _note(line: Line) -> str:
    halves = ("fetch", "store", "overhead", "inside")
    told = [
        f"{half} {line.figure(f'{half}_seconds'):.2f} s"
        for half in halves
        if f"{half}_seconds" in line.runs[0].figures
    ]
    if "checked_seconds" in line.runs[0].figures:
        told.append(f"with checks {line.figure('checked_seconds'):.2f} s")
    if "day_mb" in line.runs[0].figures:
        told.append(f"the day alone {line.figure('day_mb'):.0f} MB")
    if "tables" in line.runs[0].figures:
        told.append(f"{line.figure('tables'):.0f} tables")
    if len(line.runs) > 1:
        told.append(f"{min(r.seconds for r in line.runs):.2f} to {max(r.seconds for r in line.runs):.2f} s")
    return "; ".join([*told, line.note] if line.note else told)


def _verdict_rows(findings: Findings) -> Rows:
    return [
        (
            verdict.number,
            verdict.what,
            f"{verdict.measured:,.2f} {verdict.unit}",
            verdict.target,
            "reached" if verdict.met else "missed",
        )
        for verdict in findings.verdicts
    ]


def _markdown(names: Sequence[str], rows: Rows) -> str:
    marks = [":--" if name in _TEXTS else "--:" for name in names]
    return "\n".join(f"| {' | '.join(row)} |" for row in (names, marks, *rows))
