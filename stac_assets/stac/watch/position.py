"""How far a watcher has read the changes of a collection. It is stored between two polls, as JSON."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

import msgspec

from stac_assets.stac.watch.item_versions import ItemVersion

OVERLAP = timedelta(seconds=60)
"""How far the next poll begins before the newest instant: several writers do not store items in order."""
REMEMBERED = 50
"""The most item versions that are remembered of the overlap; where there are more, it is shortened."""


class Walk(msgspec.Struct, frozen=True):
    """A walk from window to window, for the changes up to one instant.

    Args:
        until: the last instant of the changes that it looks for.
        day: the windows before this day are done.
        seen: the keys of the versions of that very instant; None where they are too many to remember.
    """

    until: datetime
    day: date
    seen: tuple[str, ...] | None = ()


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every change before `since` has been seen, and of the later ones those whose keys are in `seen`.

    Args:
        since: where the next request begins.
        seen: keys of versions.
        walk: a walk that has begun and is not done.
    """

    since: datetime
    seen: tuple[str, ...] = ()
    walk: Walk | None = None


def position_behind(
    since: datetime, versions: Iterable[ItemVersion], instant: Callable[[ItemVersion], datetime]
) -> Position:
    """The position when `versions` are all that changed at or after `since`.

    It lies `OVERLAP` before the newest of them, and remembers those that the next request brings again.
    """
    ordered = sorted(versions, key=instant, reverse=True)
    if not ordered:
        return Position(since)
    since = max(since, instant(ordered[0]) - OVERLAP)
    if len(ordered) > REMEMBERED:
        since = max(since, instant(ordered[REMEMBERED - 1]))
    return Position(since, keys(version for version in ordered if instant(version) >= since))


def keys(versions: Iterable[ItemVersion]) -> tuple[str, ...]:
    """The keys of item versions."""
    return tuple(version.key for version in versions)
