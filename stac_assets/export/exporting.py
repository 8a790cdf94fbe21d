"""Exports a collection: a file for each partition, or one for all."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from stac_assets.catalog import Catalog
from stac_assets.export.folder import Folder, folder_at
from stac_assets.export.result import Exported
from stac_assets.export.staged import StagedRows
from stac_assets.export.stored_rows import StoredRows
from stac_assets.export.structure import Structure
from stac_assets.export.writing import write
from stac_assets.pipeline.destinations.base import storage_of
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import run_folder
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.target import target_of
from stac_assets.stac.windows import Granularity, Window

Tell = Callable[[str], None]
logger = logging.getLogger("stac_assets")


@dataclass(frozen=True)
class Days:
    """The days to export, both included; None for no bound. Whole partitions are exported."""

    first: date | None = None
    last: date | None = None

    def holds(self, window: Window) -> bool:
        """Whether a partition has a day of these."""
        return (self.last is None or window.start <= self.last) and (
            self.first is None or self.first < window.end
        )


def export_collection(
    catalog: Catalog,
    collection: str,
    to: str,
    days: Days | Sequence[Window] = Days(),
    *,
    rewrites: bool = True,
    doing: str | None = None,
    tell: Tell = logger.info,
) -> Exported:
    """Write what the table `search` holds of a collection as stac-geoparquet 1.1.

    A partition without rows has no file. Files of other partitions stay as they are, but where days of them
    are written into other files, or where they lack what these have.

    Args:
        catalog: whose table.
        collection: its id.
        to: a folder, a bucket, or a file that ends with `.parquet`.
        days: which partitions; by default all that the table holds, and all that there are files of.
        rewrites: whether files that lack what the new ones have are written again, or only named.
        doing: what this is called by those that wait for it.
        tell: told in a line who is waited for.

    Raises:
        ConfigurationError: dlt lacks something of the configuration.
        StoreFailed: the destination or the disk failed.
    """
    target, runs = target_of(catalog), runs_folder()
    with told_plainly(target, runs), run_folder(runs) as folder:
        access = DatasetAccess(storage_of(target), folder, catalog.settings.lock_timeout, doing, tell)
        rows = StoredRows(access, collection)
        work = _Work(folder_at(to), rows, collection, catalog.settings.granularity, folder)
        return work.one_file(days) if work.folder.is_file else work.files(days, rewrites)


@dataclass
class _Work:
    folder: Folder
    rows: StoredRows
    collection: str
    granularity: Granularity
    aside: Path

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        """The documents of collections for the footer, where there is one."""
        found = self.rows.document()
        return {self.collection: found} if found else {}

    def one_file(self, days: Days | Sequence[Window]) -> Exported:
        """All partitions in one file, sorted in space as a whole."""
        held, done = self.rows.days(), Exported()
        windows = sorted(window for window in self._windows(held) if _is_among(window, days))
        if not windows:
            if self.folder.is_of(self.collection) and self.folder.remove(self.folder.path):
                done.removed.append(self.folder.shown(self.folder.path))
            return done
        with StagedRows(self.aside) as staged:
            self.rows.read(
                [_days_of(window, held) for window in windows], lambda _, rows: staged.add(0, rows)
            )
            if staged.extents:
                self._write(done, staged, None, 0, self.folder.path, staged.structure())
        return done

    def files(self, days: Days | Sequence[Window], rewrites: bool) -> Exported:
        """A file for each partition."""
        held, there = self.rows.days(), self.folder.files(self.collection)
        if isinstance(days, Days):
            wanted = {window for window in self._windows(held) if days.holds(window)}
            wanted |= {each for file in there if days.holds(file) for each in self._windows(file.days())}
        else:
            wanted = set(days)
        wanted = self._with_shared(wanted, there)
        days_in = _days_in(wanted)
        kept = {file: path for file, path in there.items() if days_in.isdisjoint(file.days())}
        known = self.folder.structures(kept)
        with StagedRows(self.aside) as staged:
            parts: list[Window] = []
            structure = self._staged(staged, parts, sorted(wanted), held, Structure())
            while True:
                structure = _in_order(_joined(structure, known.values()))
                old = sorted(w for w, each in known.items() if not (each and each.has_schema_of(structure)))
                if not old or not rewrites or not staged.extents:
                    break
                more = self._with_shared({each for file in old for each in self._windows(file.days())}, there)
                known = {file: each for file, each in known.items() if file not in old}
                structure = self._staged(staged, parts, sorted(more - wanted), held, structure)
                wanted |= more
            done = Exported(rows=dict.fromkeys(sorted(wanted), 0))
            for number, window in enumerate(parts):
                if number in staged.extents:
                    self._write(done, staged, window, number, self.folder.file_of(window), structure)
        done.outdated = [self.folder.shown(there[file]) for file in old] if done.files else []
        self._remove_replaced(done, wanted, there)
        return done

    def _remove_replaced(self, done: Exported, wanted: set[Window], there: Mapping[Window, str]) -> None:
        """Remove files whose days are in others now, or in none."""
        written, days = set(done.files.values()), _days_in(wanted)
        for file, path in there.items():
            is_replaced = self.folder.shown(path) not in written and not days.isdisjoint(file.days())
            if is_replaced and self.folder.remove(path):
                done.removed.append(self.folder.shown(path))

    def _staged(
        self,
        staged: StagedRows,
        parts: list[Window],
        windows: Iterable[Window],
        held: Mapping[date, int],
        structure: Structure,
    ) -> Structure:
        """Read the rows of more partitions; the structure with theirs."""
        first = len(parts)
        parts += windows
        days = [_days_of(window, held) for window in parts[first:]]
        self.rows.read(days, lambda number, rows: staged.add(first + number, rows))
        return structure.with_(staged.structure()) if staged.extents else structure

    def _write(
        self,
        done: Exported,
        staged: StagedRows,
        window: Window | None,
        part: int,
        path: str,
        structure: Structure,
    ) -> None:
        done.structure = structure = _in_order(structure)
        extent = staged.extents[part]
        done.has_collection = bool(self._document)
        local = self.aside / f"part-{part}.parquet"
        write(local, staged, structure, extent, part, self._document)
        self.folder.put(local, path)
        local.unlink()
        done.files[window] = self.folder.shown(path)
        done.rows[window] = extent.rows
        done.extents[window] = extent

    def _windows(self, days: Iterable[date]) -> set[Window]:
        starts = {self.granularity.floor(day) for day in days}
        return {Window(self.collection, start, self.granularity.next(start)) for start in starts}

    def _with_shared(self, wanted: set[Window], there: Mapping[Window, str]) -> set[Window]:
        """The partitions, and all others whose days share a file with days of these.

        There are such files after the setting `granularity` has changed.
        """
        waiting = set(there) - wanted
        while True:
            days = _days_in(wanted)
            met = {file for file in waiting if not days.isdisjoint(file.days())}
            if not met:
                return wanted
            waiting -= met
            wanted = wanted | {each for file in met for each in self._windows(file.days())}


def _is_among(window: Window, days: Days | Sequence[Window]) -> bool:
    return days.holds(window) if isinstance(days, Days) else window in days


def _days_in(windows: Iterable[Window]) -> set[date]:
    return {day for window in windows for day in window.days()}


def _joined(structure: Structure, others: Iterable[Structure | None]) -> Structure:
    for each in others:
        structure = structure.with_(each) if each else structure
    return structure


def _days_of(window: Window, held: Mapping[date, int]) -> dict[date, int]:
    return {day: rows for day, rows in held.items() if window.start <= day < window.end}


def _in_order(structure: Structure) -> Structure:
    """The structure with its members by name, so that all files have their columns in one order."""
    return Structure.read(structure.text())
