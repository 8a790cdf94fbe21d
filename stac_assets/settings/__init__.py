"""Settings: declared once in `model`, read by `reading`; importing this imports none of dlt."""

from stac_assets.settings.model import DATASET_NAME, EARTH_SEARCH, SETTINGS, Settings
from stac_assets.settings.reading import read_settings
from stac_assets.settings.section import ENV_PREFIX, SECTION

__all__ = ["DATASET_NAME", "EARTH_SEARCH", "ENV_PREFIX", "SECTION", "SETTINGS", "Settings", "read_settings"]
