"""What `dg scaffold defs stac_assets.StacCatalogComponent` writes."""

import re

import dagster as dg
from pydantic import BaseModel, Field, model_validator

from stac_assets.settings.presets import read_preset

USUAL_PRESET = "earth-search"
_NO_NAME = re.compile(r"[^a-z0-9]+")


class ScaffoldedCatalog(BaseModel):
    """Which API the catalog is."""

    preset: str | None = Field(
        default=None, description="Name of a known public API; see `stac-assets presets`."
    )
    base_url: str | None = Field(default=None, description="URL of the landing page of another API.")

    @model_validator(mode="after")
    def _checked(self) -> "ScaffoldedCatalog":
        if self.preset is not None and self.base_url is not None:
            raise ValueError("give a preset or a base_url, not both")
        if self.preset is not None:
            read_preset(self.preset)
        return self


class StacCatalogScaffolder(dg.Scaffolder[ScaffoldedCatalog]):
    """Writes a `defs.yaml` of a catalog that is named after its folder."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScaffoldedCatalog]:
        """What may be given."""
        return ScaffoldedCatalog

    def scaffold(self, request: dg.ScaffoldRequest[ScaffoldedCatalog]) -> None:
        """Write the file."""
        name = _NO_NAME.sub("_", request.target_path.name.lower()).strip("_")
        given = request.params.model_dump(exclude_none=True) or {"preset": USUAL_PRESET}
        dg.scaffold_component(request, {"name": name, **given})
