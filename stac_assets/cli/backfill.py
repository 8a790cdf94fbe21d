"""`stac-assets backfill-geometry`: the column `geom` of rows that were stored without."""

import argparse
import sys

from stac_assets.cli.console import catalog_from, tell_error
from stac_assets.pipeline.backfill import backfill_geometry
from stac_assets.stac.wording import counted


def run(arguments: argparse.Namespace) -> int:
    """Fill the geometries, and say how many."""
    found = backfill_geometry(catalog_from(arguments), lambda line: print(line, file=sys.stderr))
    if not found:
        tell_error("there is no table of items yet: nothing was filled")
        return 1
    for table, filled in found.items():
        left = f", {filled.left:,} have GeoJSON of which no geometry can be made" if filled.left else ""
        print(f"{table}: {counted(filled.rows, 'geometry', 'geometries')} filled{left}")
    return 0
