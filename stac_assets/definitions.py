"""What Dagster loads: `dagster dev` in a project folder finds everything here.

Nothing is read or built by importing this module; `defs` is, once somebody asks for it.
"""

import sys
from typing import TYPE_CHECKING

from stac_assets.orchestration.build import build_definitions

if TYPE_CHECKING:
    import dagster as dg

    defs: dg.Definitions

__all__ = ["build_definitions", "defs"]


def __getattr__(name: str) -> "dg.Definitions":
    """Build `defs` when it is asked for (PEP 562)."""
    if name != "defs":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stac_assets.catalog import Catalog
    from stac_assets.orchestration.build import with_executor
    from stac_assets.pipeline.target import target_of
    from stac_assets.settings import read_settings

    settings = read_settings()
    catalog = Catalog(settings)
    print(f"stac_assets: {settings.base_url} → {target_of(catalog).describe()}", file=sys.stderr)
    globals()[name] = with_executor(build_definitions(catalog), settings)
    return globals()[name]


def __dir__() -> list[str]:
    """Dagster looks through all names of a module for its definitions."""
    return sorted({*globals(), *__all__})
