"""The first position of the strategy `updated`, found with proof that the API filters as it was asked."""

from datetime import datetime, timedelta

from stac_assets.stac.watch.changed_items import BEGINNING, FEW, ChangedItems, NotHonoured
from stac_assets.stac.watch.item_versions import MILLISECOND, VersionPage, truncated
from stac_assets.stac.watch.position import OVERLAP, Position, keys, position_behind


def proven_position(changed: ChangedItems, sample: VersionPage) -> Position:
    """The position behind everything that the collection holds.

    The proof: what is in the sample is found, what was changed before is not, and after the newest change
    there is nothing. `changed.is_sorted` becomes false where the API turns out not to sort.

    Args:
        changed: asks for changed items.
        sample: some items, as they come without the filter.

    Raises:
        NotHonoured: the API does not filter.
    """
    instants = map(changed.instant, sample.versions)
    latest = max((instant for instant in instants if instant < changed.horizon), default=BEGINNING)
    if changed.is_sorted:
        latest = _newest_of_an_order(changed, latest)
    for since in (latest - OVERLAP, latest):
        page = changed.page(since)
        if page.is_whole and all(changed.instant(version) < latest for version in page.versions):
            raise NotHonoured("its filter does not find an item that it has")
        if page.is_whole:
            break
    if page.is_whole:
        position = position_behind(since, page.versions, changed.instant)
    elif changed.is_sorted:
        position = Position(latest + MILLISECOND)
    else:
        position = _searched_position(changed, latest)
    beyond = max(map(changed.instant, page.versions)) + MILLISECOND
    # nothing changed later, a moment ago: `page` refuses the items of an API that ignores the filter
    changed.page(max(beyond, position.since), size=FEW)
    return position


def _newest_of_an_order(changed: ChangedItems, latest: datetime) -> datetime:
    """The newest instant, if the API sorts; otherwise `latest`, and it is not asked to sort any more."""
    page = changed.page(BEGINNING, direction="desc", size=FEW)
    newest = list(map(changed.instant, page.versions))
    first_page = changed.page(BEGINNING, direction="asc", size=FEW)
    oldest = list(map(changed.instant, first_page.versions))
    if not newest or not oldest:
        raise NotHonoured("its filter does not find an item that it has")
    is_ordered = newest == sorted(newest, reverse=True) and oldest == sorted(oldest)
    is_extreme = newest[0] >= latest and newest[0] >= oldest[-1] and oldest[0] <= newest[-1]
    # items that all have one instant show no order, unless they are all that there is
    if is_ordered and is_extreme and (newest[0] > oldest[0] or page.is_whole):
        return newest[0]
    changed.is_sorted = False
    return latest


def _searched_position(changed: ChangedItems, latest: datetime) -> Position:
    """A position with less than a page behind it, found without an order: more than a page follow `latest`.

    Doubled steps into the future find an instant with less than a page behind it; bisection then goes back
    until something is behind it.
    """
    full, step = latest, timedelta(minutes=1)
    page = changed.page(full + step)
    while not page.is_whole:
        full, step = full + step, 2 * step
        page = changed.page(full + step)
    since = full + step
    while not page.versions and since - full > 10 * MILLISECOND:
        middle = truncated(full + (since - full) / 2)
        tried = changed.page(middle)
        if tried.is_whole:
            since, page = middle, tried
        else:
            full = middle
    return Position(since, keys(page.versions))
