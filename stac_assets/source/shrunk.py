"""Answers that shrink: a partition that had many rows and comes back almost empty is asked for once more.

A catalog that is being loaded anew, or a search engine that has lost some of its nodes, answers with little
or nothing as if that were all. Asked again it has recovered, or it says the same: then it is believed.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.shrinkage import Shrinkage, has_shrunk
from stac_assets.stac.errors import PagingError
from stac_assets.stac.windows import Window
from stac_assets.stac.wording import counted

NAMED = 5
"""The most partitions that a message names."""

HeldRows = Callable[[Sequence[Window]], Mapping[Window, int]]
"""Counts the rows that the table holds of each window; one of which nothing is said holds none."""

logger = logging.getLogger("stac_assets")


def confirm_shrunk(
    windows: Sequence[FetchedWindow], held: HeldRows, ask: Callable[[Sequence[FetchedWindow]], None]
) -> None:
    """Ask once more for the windows whose answer has shrunk.

    A second answer that holds less than the first contradicts it: then the window fails, and keeps its rows.

    Args:
        windows: those that were fetched.
        held: counts what the table holds of them; called once.
        ask: fetches windows anew.
    """
    answered = {fetched.window: fetched for fetched in windows if fetched.error is None}
    rows = held(list(answered)) if answered else {}
    shrunk = [(fetched, _documents(fetched)) for fetched in answered.values()]
    shrunk = [each for each in shrunk if has_shrunk(rows.get(each[0].window, 0), each[1])]
    if not shrunk:
        return
    names = ", ".join(str(fetched.window) for fetched, _ in shrunk[:NAMED])
    more = f" and {len(shrunk) - NAMED:,} more" if len(shrunk) > NAMED else ""
    logger.warning(
        "%s with less than a tenth of the rows that the table holds, asking once more for: %s%s",
        counted(len(shrunk), "partition comes back", "partitions come back"),
        names,
        more,
    )
    for fetched, _ in shrunk:
        fetched.forget()
    ask([fetched for fetched, _ in shrunk])
    for fetched, first in shrunk:
        fetched.figures.asked_again += 1
        if fetched.error is None:
            fetched.shrinkage = Shrinkage(rows[fetched.window], first, _documents(fetched))
            if fetched.shrinkage.second < first:
                fetched.spool.discard()
                fetched.error = PagingError(
                    f"{fetched.shrinkage}: it contradicts itself, so ask it again; the rows stay"
                )
                logger.error("%s: %s", fetched.window, fetched.error)


def _documents(fetched: FetchedWindow) -> int:
    return fetched.figures.items + fetched.figures.rejected_items
