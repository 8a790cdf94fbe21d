"""`stac-assets catalogs`: the catalogs of this project, as they are configured."""

import argparse
from collections.abc import Iterator, Sequence

from stac_assets.catalog import Catalog, each_catalog
from stac_assets.cli.console import tell_error
from stac_assets.pipeline.target import target_of
from stac_assets.settings.values import ALL_COLLECTIONS
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.wording import counted

HEAD = ("catalog", "API", "collections", "dataset", "where")
UNNAMED = "(unnamed)"
MOST_NAMES = 3
"""Collections that are named; of more only their number is told."""


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each catalog; 1 if one of them cannot be used."""
    found = list(each_catalog())
    faults = [each for each in found if isinstance(each, ConfigurationError)]
    rows = [_row(each) for each in found if isinstance(each, Catalog)]
    for line in _in_columns([HEAD, *rows]) if rows else ():
        print(line)
    for fault in faults:
        tell_error(str(fault))
    return 1 if faults else 0


def _row(catalog: Catalog) -> tuple[str, ...]:
    settings, names = catalog.settings, catalog.settings.named_collections
    listed = ", ".join(names) if len(names) <= MOST_NAMES else counted(len(names), "collection")
    collections = ALL_COLLECTIONS if settings.all_collections else listed
    where = target_of(catalog).describe()
    return catalog.name or UNNAMED, settings.base_url, collections, catalog.dataset_name, where


def _in_columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """The rows in columns as wide as their longest cell: also in a pipe, where no terminal has a width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
