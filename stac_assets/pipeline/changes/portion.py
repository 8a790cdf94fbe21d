"""Some windows of a load, compared with what is stored of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.json import encode

from stac_assets.pipeline.changes.stored_feed import StoredFeed
from stac_assets.pipeline.changes.stored_items import Name, NothingStored, Reasons
from stac_assets.source.changes.difference import STORED, differences, fingerprints
from stac_assets.source.changes.documents import changed_members, same
from stac_assets.source.changes.feed import ADDED, BASELINE, CHANGED, OUT_OF_SCOPE, REMOVED, Changes
from stac_assets.source.columns import FINGERPRINT, PARTITION_KEY, rejected_key
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.fingerprint import DIGEST_LENGTH, TOLD, parts_of
from stac_assets.source.rows import item_from_row
from stac_assets.source.spool_files import core_rows, read_tables
from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window

LENGTH_OF_DAY = len("|YYYY-MM-DD")


@dataclass
class Telling:
    """How changes are told.

    Args:
        changes: gets them.
        resource: the table of the items.
        seen_at: the time of the load.
        scope: tells its filters.
        feed: asks what was told before; None where there is no feed yet.
        empty_days: by which filters days were asked for of which no row tells that, by partition key.
        newest: when the newest change of each partition was found, by its key.
        killed: keys of partitions of which changes were stored, and the rows then were not.
    """

    changes: Changes
    resource: str
    seen_at: datetime
    scope: str
    feed: StoredFeed | None = None
    empty_days: dict[str, str] = field(default_factory=dict)
    newest: dict[str, datetime] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)

    def tell(self, rows: pa.Table, change: Any, members: pa.Array | None = None) -> None:
        """Add changes.

        Args:
            rows: with the partition key and the id of each item.
            change: of all of them, or an array with that of each.
            members: of changed items, the names of the members that differ, as JSON.
        """
        number = rows.num_rows
        columns = {
            "resource": pa.repeat(self.resource, number),
            "collection": pc.utf8_slice_codeunits(rows[PARTITION_KEY], 0, -LENGTH_OF_DAY),  # type: ignore[attr-defined]
            "id": rows["id"],
            PARTITION_KEY: rows[PARTITION_KEY],
            "change": pa.repeat(change, number) if isinstance(change, str) else change,
            "seen_at": pa.repeat(pa.scalar(self.seen_at, pa.timestamp("us", "UTC")), number),
            "changed_members": pa.nulls(number, pa.string()) if members is None else members,
            "scope": pa.repeat(pa.scalar(self.scope or None, pa.string()), number),
        }
        self.changes.seen_at = self.seen_at
        self.changes.add(pa.table(columns))


class Portion:
    """Compares some windows.

    Args:
        windows: that were fetched to their end.
        stored: asks for what is stored of them.
        prefix: of the fingerprints of the load.
        telling: of changes; None where nobody wants to hear of them.
    """

    def __init__(
        self,
        windows: Sequence[FetchedWindow],
        stored: NothingStored,
        prefix: str,
        telling: Telling | None,
    ) -> None:
        self._stored = stored
        self._windows = {each.window: each for each in windows}
        self._owners = Owners(self._windows)
        self._prefix = prefix
        self._telling = telling

    def unchanged(self, with_rejected: bool) -> set[Window]:
        """Tell the changes; return the windows of which all rows are stored already, and no others."""
        files = [file for each in self._windows.values() for file in each.spool.files]
        self._held = self._stored.fingerprints(self._owners)
        rows = fingerprints(files, self._prefix)
        other = differences(rows, self._held)
        is_fetched, is_stored = pc.is_valid(other[FINGERPRINT]), pc.is_valid(other[STORED])  # type: ignore[attr-defined]
        new, gone = other.filter(pc.invert(is_stored)), other.filter(pc.invert(is_fetched))  # type: ignore[attr-defined]
        both = other.filter(pc.and_(is_fetched, is_stored))  # type: ignore[attr-defined]
        alike = pc.equal(_digests(both[FINGERPRINT]), _digests(both[STORED]))  # type: ignore[attr-defined]
        remade, differing = both.filter(alike), both.filter(pc.invert(alike))  # type: ignore[attr-defined]
        as_now = pc.starts_with(both[STORED], pattern=self._prefix)  # type: ignore[attr-defined]
        otherwise = both.filter(pc.invert(as_now))  # type: ignore[attr-defined]
        changed = self._windows_of(pa.concat_tables([new, gone, otherwise]))
        if self._telling is not None:
            untold = self._windows_of(
                pa.concat_tables([t.filter(_untold(t)) for t in (remade, differing, gone)])
            )
            differing = self._begin(self._telling, untold, remade, differing, rows)
            self._tell_new_and_gone(self._telling, new, gone)
            changed |= self._unlike_the_feed(self._telling, untold, rows)
            changed |= self._empty_ones(self._telling, rows)
        for window, names in self._by_window(differing).items():
            if (self._telling or window not in changed) and self._compare_documents(window, names):
                changed.add(window)
        changed |= {window for window, each in self._windows.items() if not each.figures.complete}
        changed |= self._with_other_rejected(self._windows.keys() - changed, with_rejected)
        return self._windows.keys() - changed

    def _windows_of(self, rows: pa.Table) -> set[Window]:
        keys = rows[PARTITION_KEY].unique().to_pylist()
        return {window for key in keys if (window := self._owners.of(key)) is not None}

    def _by_window(self, rows: pa.Table) -> dict[Window, set[Name]]:
        found = dict[Window, set[Name]]()
        for key, item_id in zip(rows[PARTITION_KEY].to_pylist(), rows["id"].to_pylist(), strict=True):
            if (window := self._owners.of(key)) is not None:
                found.setdefault(window, set()).add((key, item_id))
        return found

    # Rows of which no change was told so far -----------------------------------------------------

    def _begin(
        self, telling: Telling, windows: set[Window], remade: pa.Table, differing: pa.Table, rows: pa.Table
    ) -> pa.Table:
        """Tell a baseline of the rows that were stored without a word; return those to be compared."""
        if not windows:
            return differing
        untold = [table.filter(_untold(table)) for table in (remade, differing)]
        present = telling.feed.present(Owners(windows)) if telling.feed else {}
        begun = [table.filter(_is_in(table, present, is_in=False)) for table in untold]
        telling.tell(pa.concat_tables(begun), BASELINE)
        self._tell_vanished(telling, present, rows)
        told = differing.filter(pc.invert(_untold(differing)))  # type: ignore[attr-defined]
        return pa.concat_tables([told, untold[1].filter(_is_in(untold[1], present, is_in=True))])

    def _unlike_the_feed(self, telling: Telling, begun: set[Window], rows: pa.Table) -> set[Window]:
        """Tell of items of days in which the feed is not like the table; return the windows.

        Days that have no rows may have been emptied by a load without the feed, or by hand. And a load may
        have been killed when it had stored its changes, and not the rows. Of the windows that begin, with
        others of their rows, this is told already.
        """
        with_rows = {
            *self._held[PARTITION_KEY].unique().to_pylist(),
            *rows[PARTITION_KEY].unique().to_pylist(),
        }
        doubtful = [key for key in telling.newest if key not in with_rows or key in telling.killed]
        owned = {key: self._owners.of(key) for key in doubtful}
        asked = {key: window for key, window in owned.items() if window and window not in begun}
        if not asked or telling.feed is None:
            return set()
        present = telling.feed.present_in([*asked])
        lost = self._tell_vanished(telling, present, rows)
        there = {name for name in _names_in(self._held) & _names_in(rows) if name[0] in asked}
        back = {(key, item_id) for key, item_id in there if item_id not in present.get(key, ())}
        telling.tell(_named(sorted(back)), ADDED)
        return {asked[key] for key, _ in lost | back}

    def _tell_vanished(self, telling: Telling, present: dict[str, set[str]], rows: pa.Table) -> set[Name]:
        """Tell of items that the feed has and the table has not, as where it was loaded without the feed."""
        there = _names_in(self._held) | _names_in(rows) if present else set[Name]()
        lost = {(key, item_id) for key, ids in present.items() for item_id in ids} - there
        telling.tell(_named(sorted(lost)), REMOVED)
        return lost

    # Items that come and go -----------------------------------------------------------------------

    def _tell_new_and_gone(self, telling: Telling, new: pa.Table, gone: pa.Table) -> None:
        for rows, usual, by_filter in ((new, ADDED, BASELINE), (gone, REMOVED, OUT_OF_SCOPE)):
            if not rows.num_rows:
                continue
            keys = rows[PARTITION_KEY].unique().to_pylist()
            kinds = {key: usual if self._scope_before(key) == telling.scope else by_filter for key in keys}
            if len(set(kinds.values())) == 1:
                telling.tell(rows, kinds[keys[0]])
            else:
                telling.tell(rows, pa.array([kinds[key] for key in rows[PARTITION_KEY].to_pylist()]))

    def _empty_ones(self, telling: Telling, rows: pa.Table) -> set[Window]:
        """Tell by which filters days without rows were asked for, where the feed does not say so already."""
        if not telling.scope and not telling.empty_days:
            return set()
        with_rows, found = set(rows[PARTITION_KEY].unique().to_pylist()), list[Window]()
        for window in self._windows:
            keys = (key for key in window.day_keys() if key not in with_rows)
            if any(telling.empty_days.get(key, "") != telling.scope for key in keys):
                found.append(window)
        spans = [f'["{window.start}","{window.end}"]' for window in found]
        names = pa.table(
            {
                PARTITION_KEY: pa.array([w.key for w in found], pa.string()),
                "id": pa.nulls(len(found), pa.string()),
            }
        )
        telling.tell(names, BASELINE, pa.array(spans, pa.string()))
        return set(found)

    def _scope_before(self, key: str) -> str:
        """By which filters a partition was loaded before; those of this load where nobody knows, or never."""
        assert self._telling is not None
        known = self._scopes[key] if key in self._scopes else self._telling.empty_days.get(key)
        return self._telling.scope if known is None else known

    @cached_property
    def _scopes(self) -> dict[str, str | None]:
        """The filters of the stored rows, by partition key; None where it is not known."""
        before = _without_digests(pc.fill_null(self._held[FINGERPRINT], ""))  # type: ignore[attr-defined]
        pairs = pa.table({PARTITION_KEY: self._held[PARTITION_KEY], "before": before})
        return {
            row[PARTITION_KEY]: parts_of(row["before"]).scope if row["before"] else None
            for row in pairs.group_by([PARTITION_KEY, "before"]).aggregate([]).to_pylist()
        }

    # Items that differ ----------------------------------------------------------------------------

    def _compare_documents(self, window: Window, wanted: set[Name]) -> bool:
        """Whether items of a window, whose digests differ, are other ones as JSON values; tell of those."""
        is_changed = False
        for _, table in read_tables(self._windows[window].spool.files):
            fetched = dict(_documents(table, wanted))
            stored = dict(self._stored.documents(fetched))
            if all(name in stored and same(item, stored[name]) for name, item in fetched.items()):
                continue
            is_changed = True
            if self._telling is None:
                break
            found = [(name, changed_members(stored.get(name, {}), item)) for name, item in fetched.items()]
            told = [(name, encode(members).decode()) for name, members in found if members]
            texts = pa.array([text for _, text in told], pa.string())
            self._telling.tell(_named([name for name, _ in told]), CHANGED, texts)
        return is_changed

    def _with_other_rejected(self, windows: set[Window], with_rejected: bool) -> set[Window]:
        stored = self._stored.rejected(Owners(windows)) if with_rejected and windows else {}
        fetched, prefix = dict[str, Reasons](), rejected_key(self._stored.name, "")
        for window in windows:
            for row in self._windows[window].spool.rejected:
                document = row["id"], row["reason"], row["document"]
                fetched.setdefault(row[PARTITION_KEY].removeprefix(prefix), Counter())[document] += 1
        keys = {key for key in stored.keys() | fetched.keys() if stored.get(key) != fetched.get(key)}
        return {window for key in keys if (window := self._owners.of(key)) is not None}


def _digests(found: pa.ChunkedArray) -> Any:
    return pc.utf8_slice_codeunits(found, -DIGEST_LENGTH)  # type: ignore[attr-defined]


def _without_digests(found: pa.ChunkedArray) -> Any:
    return pc.utf8_slice_codeunits(found, 0, -DIGEST_LENGTH)  # type: ignore[attr-defined]


def _untold(rows: pa.Table) -> Any:
    """Which rows were stored without a word in the feed."""
    return pc.invert(pc.match_substring(rows[STORED], TOLD))  # type: ignore[attr-defined]


def _is_in(rows: pa.Table, present: dict[str, set[str]], *, is_in: bool) -> pa.Array:
    names = zip(rows[PARTITION_KEY].to_pylist(), rows["id"].to_pylist(), strict=True)
    return pa.array([(item_id in present.get(key, ())) is is_in for key, item_id in names], pa.bool_())


def _named(names: Sequence[Name]) -> pa.Table:
    keys, ids = zip(*names, strict=True) if names else ((), ())
    return pa.table({PARTITION_KEY: pa.array(keys, pa.string()), "id": pa.array(ids, pa.string())})


def _names_in(rows: pa.Table) -> set[Name]:
    return {*zip(rows[PARTITION_KEY].to_pylist(), rows["id"].to_pylist(), strict=True)}


def _documents(table: pa.Table, wanted: set[Name]) -> Iterator[tuple[Name, Any]]:
    """The items of those rows of a spool file that are wanted, as parsed JSON."""
    keys = zip(table[PARTITION_KEY].to_pylist(), table["id"].to_pylist(), strict=True)
    places = [place for place, name in enumerate(keys) if name in wanted]
    for row in core_rows(table.take(places)) if places else ():
        yield (row[PARTITION_KEY], row["id"]), item_from_row(row)
