"""The reader of a catalog's dataset."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stac_assets.catalog import Catalog
from stac_assets.pipeline.destinations.base import storage_of
from stac_assets.pipeline.failures import told_plainly
from stac_assets.pipeline.folders import run_folder
from stac_assets.pipeline.place import runs_folder
from stac_assets.pipeline.read_only.reader import Reader
from stac_assets.pipeline.target import target_of

PATIENCE = 5.0
"""Seconds at most that somebody who asks waits for a load that has the DuckDB file."""


@contextmanager
def reading(catalog: Catalog, others: Sequence[Catalog] = ()) -> Iterator[Reader]:
    """A reader of what loads have stored of a catalog.

    Args:
        catalog: whose dataset.
        others: catalogs that may share its database, whose tables a query may name too.

    Raises:
        ConfigurationError: dlt lacks something of the destination's configuration.
        StoreFailed: the destination failed.
    """
    target, runs = target_of(catalog), runs_folder()
    schemas = [each.dataset_name for each in (catalog, *others)]
    wait = min(PATIENCE, catalog.settings.lock_timeout)
    with told_plainly(target, runs), run_folder(runs) as folder:
        storage = storage_of(target)
        pipeline = storage.pipeline(folder)
        yield storage.reader(pipeline, storage.place(pipeline), schemas, wait)
