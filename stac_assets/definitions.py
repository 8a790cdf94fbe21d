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
    from stac_assets.catalog import read_catalogs
    from stac_assets.orchestration.build import definitions_of, with_executor
    from stac_assets.pipeline.target import target_of

    catalogs = read_catalogs()
    for catalog in catalogs:
        of = f" {catalog.name}:" if catalog.name else ""
        told = f"{catalog.settings.base_url} → {target_of(catalog).describe()}"
        print(f"stac_assets:{of} {told}", file=sys.stderr)
    globals()[name] = with_executor(definitions_of(catalogs), catalogs)
    return globals()[name]


def __dir__() -> list[str]:
    """Dagster looks through all names of a module for its definitions."""
    return sorted({*globals(), *__all__})
