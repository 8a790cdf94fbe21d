"""Mirror STAC APIs into database tables, exactly, with dlt and Dagster.

Importing this imports nothing else and changes nothing: each name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stac_assets.api import load
    from stac_assets.frames import geodataframe
    from stac_assets.orchestration.build import build_definitions
    from stac_assets.orchestration.component import StacCatalogComponent
    from stac_assets.source import pystac_client_source
    from stac_assets.source.rows import item_from_row

__all__ = [
    "StacCatalogComponent",
    "build_definitions",
    "geodataframe",
    "item_from_row",
    "load",
    "pystac_client_source",
]

_MODULES = {
    "StacCatalogComponent": "stac_assets.orchestration.component",
    "build_definitions": "stac_assets.orchestration.build",
    "geodataframe": "stac_assets.frames",
    "item_from_row": "stac_assets.source.rows",
    "load": "stac_assets.api",
    "pystac_client_source": "stac_assets.source",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
