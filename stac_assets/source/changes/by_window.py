"""What a load has changed, by window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stac_assets.stac.owners import Owners
from stac_assets.stac.windows import Window

if TYPE_CHECKING:
    from stac_assets.source.delivery import Delivery


@dataclass(frozen=True)
class ChangesByWindow:
    """Counts of changes, and when the newest was found.

    Args:
        counts: by window and kind of change; those that are missing are 0.
        newest: when the newest change of a window was found, by this load or an earlier one; a window without
            changes so far is missing.
    """

    counts: Mapping[Window, Mapping[str, int]]
    newest: Mapping[Window, datetime]

    @classmethod
    def of(cls, delivery: Delivery) -> ChangesByWindow:
        """The changes that a load has stored."""
        changes = delivery.changes
        assert changes is not None
        owners = Owners(each.window for each in delivery.fetched.complete_windows)
        counts, newest = dict[Window, Counter[str]](), dict(delivery.last_changes)
        for (key, change), count in changes.counts.items():
            if (window := owners.of(key)) is not None:
                counts.setdefault(window, Counter())[change] += count
        if changes.seen_at is not None:
            newest |= dict.fromkeys(counts, changes.seen_at)
        return cls(counts, newest)

    def totals(self) -> Counter[str]:
        """The counts of all windows together, by kind of change."""
        found = Counter[str]()
        for counts in self.counts.values():
            found.update(counts)
        return found
