r"""An asset that does only what is new: a folder of thumbnails that keeps in step with the mirror.

A run fetches the thumbnails of the items of its partition that were added or changed since it last ran, and
deletes those of items that were removed. The table `item_changes` tells which. Type in the project folder:

    dagster asset materialize -f examples/follow_changes.py --select search,thumbnails \
        --partition 'sentinel-2-l2a|2024-01-05'

To have Dagster do so for each partition in which a load finds changes from then on, and for no other, turn on
`default_automation_condition_sensor`, under *Automation* in the UI:

    dagster dev -f examples/follow_changes.py

The thumbnails of the demo's items lead nowhere: try it on a real API. The log names what cannot be had.
"""

from pathlib import Path
from urllib.parse import quote

import dagster as dg
import duckdb
import requests

from stac_assets import build_definitions

CHANGED = """
    SELECT id, split_part(_partition_key, '|', -1) AS day, max(epoch_us(seen_at)) AS seen,
        any_value(assets->'thumbnail'->>'href') AS href
    FROM pystac_client_data.item_changes
    LEFT JOIN pystac_client_data.search USING (collection, id, _partition_key)
    WHERE resource = 'search' AND collection = $collection AND day >= $first AND day < $end
        AND epoch_us(seen_at) > $seen
    GROUP BY ALL
"""
"""The items that have changed, with the URLs of their thumbnails; NULL where an item is gone, or has none."""
partitions = build_definitions().resolve_assets_def("search").partitions_def


@dg.asset(
    deps=["search"],
    partitions_def=partitions,
    automation_condition=dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()),
)
def thumbnails(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Pictures of all items, as `thumbnails/<collection>/<day>/<id>.jpg`."""
    assert isinstance(context.partition_key, dg.MultiPartitionKey)
    collection = context.partition_key.keys_by_dimension["collection"]
    days, seen = context.partition_time_window, newest_seen(context)
    asked = {"collection": collection, "first": f"{days.start:%F}", "end": f"{days.end:%F}", "seen": seen}
    with duckdb.connect("pystac_client.duckdb", read_only=True) as database:
        changed = database.execute(CHANGED, asked).fetchall()
    for id, day, at, href in changed:
        seen = max(seen, at)
        file = Path("thumbnails", collection, day, quote(id, safe="") + ".jpg")
        if href is None:
            file.unlink(missing_ok=True)
        else:
            try:
                answer = requests.get(href, timeout=60)
                answer.raise_for_status()
            except requests.RequestException as error:
                context.log.warning(f"{id} has no thumbnail: {error}")
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(answer.content)
    return dg.MaterializeResult(metadata={"items": len(changed), "seen": seen})


def newest_seen(context: dg.AssetExecutionContext) -> int:
    """When the last change was seen that this partition has dealt with: microseconds since 1970, or 0."""
    own = dg.AssetRecordsFilter(context.asset_key, asset_partitions=[context.partition_key])
    for record in context.instance.fetch_materializations(own, limit=1).records:
        if record.asset_materialization:
            return int(str(record.asset_materialization.metadata["seen"].value))
    return 0


defs = dg.Definitions.merge(build_definitions(), dg.Definitions(assets=[thumbnails]))
