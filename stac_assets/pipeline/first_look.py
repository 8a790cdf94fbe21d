"""What a load looks at before it fetches: whose dataset it is, and whether its table is there.

It is one look, because each opens the database anew.
"""

from dataclasses import dataclass
from typing import Any

from dlt.common.schema.typing import TTableSchema

from stac_assets.pipeline.comparison import Comparison, compare
from stac_assets.pipeline.exclusion.access import DatasetAccess
from stac_assets.source.columns import PARTITION_KEY
from stac_assets.stac.endpoints import Endpoint


@dataclass(frozen=True)
class FirstLook:
    """What was there before a load fetched.

    Args:
        endpoint: whose rows are loaded.
        owner: the API that the dataset mirrors, if that is known.
        comparison: of the schema with what is there; None where that is not compared, or nothing is there.
        may_have_rows: whether the endpoint's table may have rows that tell their partition.
    """

    endpoint: Endpoint
    owner: str | None = None
    comparison: Comparison | None = None
    may_have_rows: bool = False

    @property
    def table(self) -> TTableSchema | None:
        """The table as dlt's schema describes it, if a load would change nothing of the dataset but rows."""
        found, name = self.comparison, self.endpoint.name
        if found is None or found.schema is None or found.missing or name not in found.remembered:
            return None
        return found.schema.tables[name]


def first_look(access: DatasetAccess, endpoint: Endpoint) -> FirstLook:
    """Look at the dataset of a load.

    Raises:
        StoreFailed: a column of the table has another type than it was made with, or nothing can be stored.
    """
    return access.read(lambda: _looked(access, endpoint)) or FirstLook(endpoint)


def _looked(access: DatasetAccess, endpoint: Endpoint) -> FirstLook:
    with access.pipeline.destination_client() as opened:
        client: Any = opened
        if not access.storage.compares:
            return FirstLook(endpoint, access.owner_told_by(client), may_have_rows=True)
        access.storage.check_rights(client)
        found = compare(client, endpoint)
        has_keys = PARTITION_KEY in found.there.get(endpoint.name, {})
        return FirstLook(endpoint, access.owner_told_by(client), found, has_keys)
