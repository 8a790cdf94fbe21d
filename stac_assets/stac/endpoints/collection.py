"""One collection at a time (STAC API - Collections)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stac_assets.stac.endpoints.collections import COLLECTION_COLUMNS, collection_row
from stac_assets.stac.endpoints.endpoint import Endpoint, Refused, Replaces, Row
from stac_assets.stac.errors import RequestFailed, UnknownCollection

if TYPE_CHECKING:
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.survey import Surveyor


def _rows(api: "StacApi", collections: Sequence[str]) -> Iterator[Row | Refused]:
    from stac_assets.stac.documents import decode_members

    for collection in collections:
        try:
            row = collection_row(decode_members(api.collection(collection)))
        except (RequestFailed, UnknownCollection) as error:
            yield Refused(collection, error)
        else:
            yield row


def _probe(survey: "Surveyor") -> str:
    survey.api.collection(survey.window.collection)
    return survey.window.collection


COLLECTION = Endpoint(
    name="collection",
    path="GET /collections/{id}",
    relations=("data",),
    upstream="collections",
    description="""
One collection document, `GET /collections/{id}`, partitioned by collection: for a fresh extent or summary of
a single collection without listing them all.
""",
    columns=COLLECTION_COLUMNS,
    partitioned_by=("collection",),
    replaces=Replaces.COLLECTION,
    rows=_rows,
    probe=_probe,
)
