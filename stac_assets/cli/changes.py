"""`stac-assets changes`: which items were added, changed and removed."""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import TextIO

from stac_assets.catalog import Catalog
from stac_assets.cli.console import catalog_from, tell_error
from stac_assets.pipeline.changes.told import Change, read_changes
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.windows import parse_time

WIDTHS = (20, 12, 16, 24, 10)
"""Characters of the columns of a table but the last: time, change, resource, collection, day."""
HEADINGS = ("seen_at", "change", "resource", "collection", "day", "id")


def run(arguments: argparse.Namespace) -> int:
    """Print the feed, once all of it is read: a pager that waits keeps no DuckDB file."""
    since, catalog = _since(arguments.since), catalog_from(arguments)
    write = _as_json if arguments.format == "jsonl" else _as_line
    with TemporaryFile("w+", encoding="utf-8", newline="\n") as lines:
        count = _read(catalog, arguments, since, write, lines)
        if count is None:
            tell_error(
                f"{catalog.dataset_name} has no table item_changes: nothing was loaded yet, or only with "
                "item_changes = false. Run stac-assets load"
            )
            return 1
        if arguments.format == "table" and count:
            print(_columns(HEADINGS))
        lines.seek(0)
        shutil.copyfileobj(lines, sys.stdout)
    if not count:
        print("no changes" + (f" since {arguments.since}" if since else ""), file=sys.stderr)
    return 0


def _read(
    catalog: Catalog,
    arguments: argparse.Namespace,
    since: datetime | None,
    write: Callable[[Change], str],
    lines: TextIO,
) -> int | None:
    """How many changes were read; None where there is no feed."""
    count = 0

    def add(change: Change) -> None:
        nonlocal count
        count += 1
        lines.write(write(change) + "\n")

    wait: Callable[[str], None] = lambda line: print(line, file=sys.stderr)  # noqa: E731
    found = read_changes(catalog, add, since=since, collections=arguments.of or (), tell=wait)
    return count if found else None


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = parse_time(text)
    if found is None:
        raise ConfigurationError(f"--since is {text!r}; expected a UTC day (2024-01-31) or time (RFC 3339)")
    return found


def _time(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _as_json(change: Change) -> str:
    row = {
        "seen_at": _time(change.seen_at),
        "change": change.change,
        "resource": change.resource,
        "collection": change.collection,
        "day": change.day,
        "id": change.id,
        "changed_members": list(change.changed_members),
    }
    return json.dumps(row)  # in ASCII, of which no terminal or pipe makes something else


def _as_line(change: Change) -> str:
    members = f"  ({_in_a_line(', '.join(change.changed_members))})" if change.changed_members else ""
    time = _time(change.seen_at.replace(microsecond=0))
    return (
        _columns((time, change.change, change.resource, change.collection, change.day, change.id)) + members
    )


def _columns(cells: tuple[str, ...]) -> str:
    *others, last = map(_in_a_line, cells)
    return "  ".join([*(f"{cell:{width}}" for cell, width in zip(others, WIDTHS, strict=True)), last])


def _in_a_line(text: str) -> str:
    """A text in which line breaks, and what moves a terminal's cursor, are written as escapes."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
