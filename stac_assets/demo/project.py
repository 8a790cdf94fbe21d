"""The project folder of the demo: the files that a user's own project has, for the sample API."""

import json
from pathlib import Path

from stac_assets.demo.catalog import COLLECTIONS, FIRST_DAY, LAST_DAY

DATASET, DUCKDB_FILE = "pystac_client_data", "pystac_client.duckdb"

_CONFIG = """\
# Written by `stac-assets demo`; the sample API serves generated data.
[sources.pystac_client_source]
base_url = "{url}"
collections = {collections}
start_date = "{first}"
end_date = "{last}"

[pipeline]
destination = "duckdb"

[destination.duckdb]
destination_name = "pystac_client"

[pipelines]
pipelines_dir = ".dlt/pipelines"

[load]
delete_completed_jobs = true

[runtime]
dlthub_telemetry = false
"""
_DAGSTER = """\
# Written by `stac-assets demo`. Dagster's history stays in this folder.
storage:
  sqlite:
    base_dir: .dagster/storage
compute_logs:
  module: dagster.core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir: .dagster/logs
local_artifact_storage:
  module: dagster.core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: .dagster/artifacts
python_logs:
  managed_python_loggers: [stac_assets]
  python_log_level: INFO
freshness:
  enabled: true
telemetry:
  enabled: false
nux:
  enabled: false
"""
_WORKSPACE = """\
load_from:
  - python_module:
      module_name: stac_assets.definitions
      location_name: stac_assets
"""


def write_project(folder: Path, url: str) -> None:
    """Make `folder` a project folder for the API at `url`, in which all names are the default ones."""
    (folder / ".dlt").mkdir(exist_ok=True)
    config = _CONFIG.format(url=url, collections=json.dumps(COLLECTIONS), first=FIRST_DAY, last=LAST_DAY)
    for name, text in (
        (".dlt/config.toml", config),
        ("dagster.yaml", _DAGSTER),
        ("workspace.yaml", _WORKSPACE),
    ):
        (folder / name).write_text(text, encoding="utf-8")
