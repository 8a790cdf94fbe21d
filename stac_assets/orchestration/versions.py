"""The data version of what a run has stored: another one where its items have changed, and only then."""

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from stac_assets.pipeline.load_result import LoadResult

NEVER_CHANGED = "0"


def data_version(result: "LoadResult") -> dg.DataVersion | None:
    """When the newest change of any partition of a run was found; None where changes are not told.

    Dagster records one data version for all partitions of a run.
    """
    if result.changes is None:
        return None
    newest = max(result.changes.newest.values(), default=None)
    return dg.DataVersion(newest.isoformat() if newest else NEVER_CHANGED)
