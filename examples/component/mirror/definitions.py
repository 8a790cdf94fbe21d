"""A Dagster project whose catalog is a component: `defs/earth_search/defs.yaml` says all there is to say.

It needs `pip install stac-assets dagster-dg-cli`. Type in the folder with `pyproject.toml`:

    dg check defs
    dg launch --assets earth_search/search --partition 'sentinel-2-l2a|2024-01-05'
    dg dev

The second command loads a day into the table `earth_search.search` of `pystac_client.duckdb`, in that folder.
"""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """What the folder `defs` defines: a folder for each catalog, and what else you put beside it."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
