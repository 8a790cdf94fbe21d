"""The collections that are partitions now: configured ones, or Dagster's dynamic partitions of `"*"`."""

from collections.abc import Iterable, Sequence

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.stac.wording import counted

FORMER_NAME = "collections"
"""Name of the dynamic partitions in version 0.1.0.

All code locations of a Dagster instance share it (dagster-io/dagster#29693), so it may hold keys of other
people too. It is only read.
"""

LONGEST_KEY = 1_000
"""Letters of an id in a key at most; PostgreSQL, where it is Dagster's storage, indexes no long ones."""
MOST_SHOWN, LONGEST_SHOWN = 5, 60


def known_collections(catalog: Catalog, instance: dg.DagsterInstance) -> Sequence[str]:
    """The collections that are partitions now, in the order of their partitions.

    Where none is known yet, those that version 0.1.0 registered are taken over, if the API lists them.

    Raises:
        StacError: the API did not list its collections; it is asked only for that.
    """
    if not catalog.settings.all_collections:
        return partitionable(catalog.settings.named_collections)
    known = instance.get_dynamic_partitions(catalog.collection_partitions_name)
    if known:
        return known
    former = instance.get_dynamic_partitions(FORMER_NAME)
    if not former:
        return []
    listed = set(listed_collections(catalog))
    return register_collections(catalog, instance, [name for name in former if name in listed])


def register_collections(
    catalog: Catalog, instance: dg.DagsterInstance, listed: Iterable[str]
) -> Sequence[str]:
    """Make partitions of the collections that are none yet, and return these."""
    known = set(instance.get_dynamic_partitions(catalog.collection_partitions_name))
    new = [name for name in partitionable(listed) if name not in known]
    if new:
        instance.add_dynamic_partitions(catalog.collection_partitions_name, new)
    return new


def partitionable(collections: Iterable[str]) -> list[str]:
    """The collections whose ids can be part of a key."""
    return [name for name in dict.fromkeys(collections) if _is_key(name)]


def without_partition(collections: Iterable[str]) -> str:
    """A line that names the collections whose ids cannot be part of a key; empty where there are none."""
    names = [name for name in dict.fromkeys(collections) if not _is_key(name)]
    if not names:
        return ""
    shown = ", ".join(f"{name[:LONGEST_SHOWN]!r}" for name in names[:MOST_SHOWN])
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return (
        f"{counted(len(names), 'collection')} cannot be a partition, as Dagster takes no such id in a key: "
        f"{shown}{more}; `stac-assets load --collection` takes any without '|'"
    )


def _is_key(name: str) -> bool:
    """Whether Dagster takes a name in a key, whose parts it separates by `|`, and can store it."""
    try:
        name.encode()
        dg.StaticPartitionsDefinition([name])  # which refuses what means something to Dagster, such as `...`
    except (dg.DagsterInvalidDefinitionError, UnicodeEncodeError):
        return False
    return bool(name.strip()) and "|" not in name and len(name) <= LONGEST_KEY


def listed_collections(catalog: Catalog) -> list[str]:
    """The ids that the API lists, asked for in the few seconds that a tick has.

    Raises:
        StacError: it did not answer.
    """
    from stac_assets.orchestration.sensors.budget import MAX_SECONDS
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.watch.patience import impatient, stopping_after

    with stopping_after(MAX_SECONDS) as stopped:
        return StacApi(impatient(catalog.settings.api), stopped).collection_ids()
