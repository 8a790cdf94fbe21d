r"""The mirror and an asset of your own, as plain Dagster definitions.

The mirror has the settings of `.dlt/config.toml`. Type in the project folder:

    dagster asset materialize -f examples/definitions.py --select search \
        --partition 'sentinel-2-l2a|2024-01-05'
    dagster asset materialize -f examples/definitions.py --select clear_scenes

The second command writes the file `clear_scenes.csv`. Dagster's UI on all of it:

    dagster dev -f examples/definitions.py
"""

import dagster as dg
import duckdb

from stac_assets import build_definitions


@dg.asset(deps=["search"])
def clear_scenes(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The scenes with less than a tenth of clouds, the newest first, as `clear_scenes.csv`."""
    with duckdb.connect("pystac_client.duckdb", read_only=True) as database:
        scenes = database.sql("""
            SELECT collection, id, datetime, eo_cloud_cover FROM pystac_client_data.search
            WHERE eo_cloud_cover < 10 ORDER BY datetime DESC, id
        """)
        scenes.write_csv("clear_scenes.csv")
        context.log.info(f"clear_scenes.csv has {len(scenes):,} scenes")
        return dg.MaterializeResult(metadata={"dagster/row_count": len(scenes)})


defs = dg.Definitions.merge(build_definitions(), dg.Definitions(assets=[clear_scenes]))
