"""The data version of what a run has stored: another one where its items have changed, and only then."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from stac_assets.pipeline.load_result import LoadResult

DATA_VERSION, IS_OURS = "dagster/data_version", "dagster/data_version_is_user_provided"
"""The tags of a materialization by which Dagster knows its data version."""
NEVER_CHANGED = "0"


def data_version(result: "LoadResult") -> dg.DataVersion | None:
    """When the newest change of any partition of a run was found; None where changes are not told.

    Dagster records one data version for all partitions of a run.
    """
    if result.changes is None:
        return None
    return dg.DataVersion(_version(max(result.changes.newest.values(), default=None)))


def version_tags(result: "LoadResult") -> Mapping[str, Mapping[str, str]]:
    """The tags that give each partition a data version, by its key, where each is reported by itself."""
    if result.changes is None:
        return {}
    newest = result.changes.newest
    return {
        each.window.key: {DATA_VERSION: _version(newest.get(each.window)), IS_OURS: "true"}
        for each in result.windows
    }


def _version(newest: datetime | None) -> str:
    return newest.isoformat() if newest else NEVER_CHANGED
