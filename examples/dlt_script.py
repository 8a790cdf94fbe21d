"""A dlt script of your own: the items of one region and a few days, in a dataset that only this script fills.

Where the API is, and what token it wants, is read from `.dlt/` of the project folder. Type there:

    python examples/dlt_script.py

What is an argument here comes before those settings. Such a script fetches while dlt extracts, so run one at
a time for a dataset; `stac-assets load` and Dagster take turns by themselves.
"""

import dlt

from stac_assets import pystac_client_source


def main() -> None:
    """Load two tables, and tell how many rows they have."""
    source = pystac_client_source(
        collections=["sentinel-2-l2a"],
        start_date="2024-01-01",
        end_date="2024-01-07",
        bbox=[13.0, 52.3, 13.8, 52.7],  # Berlin: west, south, east, north
    )
    pipeline = dlt.pipeline("berlin", destination="duckdb", dataset_name="berlin")
    print(pipeline.run(source.with_resources("collections", "search")))
    print(pipeline.dataset().row_counts().df())


if __name__ == "__main__":
    main()
