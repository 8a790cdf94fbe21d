"""dlt's Databricks destination, in which JSON is VARIANT.

dlt 1.31 makes columns of text for it. It copies Parquet files, which hold JSON as text, and a COPY may
select: here it selects what `parse_json` makes of that text.
"""

from typing import TYPE_CHECKING, ClassVar

from dlt import destinations
from dlt.common.data_types.typing import TDataType
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.destinations.impl.databricks.factory import DatabricksTypeMapper

from stac_assets.pipeline.destinations.base import Adapted, Storage

if TYPE_CHECKING:
    from stac_assets.pipeline.destinations.databricks_client import VariantClient


class VariantDatabricks(Adapted, destinations.databricks):
    """dlt's Databricks destination, whose JSON columns are VARIANT."""

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = _Types
        return capabilities

    @property
    def client_class(self) -> "type[VariantClient]":
        """The client that parses JSON. It is imported here because it needs Databricks' driver."""
        from stac_assets.pipeline.destinations.databricks_client import VariantClient

        return VariantClient


class DatabricksStorage(Storage):
    """Stores into Databricks."""

    adapted = VariantDatabricks


class _Types(DatabricksTypeMapper):
    sct_to_unbound_dbt: ClassVar[dict[TDataType, str]] = {
        **DatabricksTypeMapper.sct_to_unbound_dbt,
        "json": "VARIANT",
    }
    dbt_to_sct: ClassVar[dict[str, TDataType]] = {**DatabricksTypeMapper.dbt_to_sct, "VARIANT": "json"}
