"""What items can be searched by (STAC API - Filter)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stac_assets.stac.endpoints.cells import text, written
from stac_assets.stac.endpoints.endpoint import QUERYABLES as RELATION
from stac_assets.stac.endpoints.endpoint import Endpoint, Refused, Row, columns
from stac_assets.stac.errors import RequestFailed

if TYPE_CHECKING:
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.survey import Surveyor


def _rows(api: "StacApi", collections: Sequence[str]) -> Iterator[Row | Refused]:
    """One row per property of the root and of each collection.

    Raises:
        EndpointMissing: neither the root nor any of the collections has queryables.
    """
    answered = False
    for collection in (None, *(collections or api.collection_ids())):
        try:
            schema = api.queryables(collection)
        except RequestFailed as error:
            answered = True
            yield Refused(collection or "the API itself", error)
            continue
        if schema is None:
            continue
        answered = True
        properties = schema.get("properties")
        for name, definition in (properties if isinstance(properties, dict) else {}).items():
            described = definition if isinstance(definition, dict) else {}
            types = described.get("type")
            yield {
                "collection": collection,
                "name": name,
                "title": text(described.get("title")),
                "type": ",".join(map(str, types)) if isinstance(types, list) else text(types),
                "schema": written(definition),
            }
    if not answered:
        raise api.landing.missing(RELATION)


def _probe(survey: "Surveyor") -> str:
    for collection in (None, survey.window.collection):
        schema = survey.api.queryables(collection)
        if schema is not None:
            return f"{len(schema.get('properties') or ())} of {collection or 'the root'}"
    raise survey.api.landing.missing(RELATION)


QUERYABLES = Endpoint(
    name="queryables",
    path="GET /queryables",
    relations=(RELATION,),
    upstream="client_root",
    description="""
What items can be searched by, `GET /queryables` of the API and of each configured collection.
One row per collection (null for the API itself) and property, with its JSON schema.
""",
    columns=columns(
        collection=("text", "The collection; null for the root's own queryables"),
        name=("text!", "Name of the property"),
        title=("text", "Title"),
        type=("text", "JSON type; several are joined by a comma"),
        schema=("json", "JSON schema of the property"),
    ),
    rows=_rows,
    probe=_probe,
)
