"""The landing page (STAC API - Core)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stac_assets.stac.endpoints.cells import json_text, texts
from stac_assets.stac.endpoints.endpoint import Endpoint, Row, columns

if TYPE_CHECKING:
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.survey import Surveyor


def _rows(api: "StacApi", collections: Sequence[str]) -> Iterator[Row]:
    from stac_assets.stac.documents import object_text

    members = api.landing.members()
    yield {
        **texts(api.landing.document(), "id", "title", "description", "stac_version"),
        "url": api.landing.base_url,
        "conforms_to": json_text(members, "conformsTo"),
        "links": json_text(members, "links"),
        "document": object_text(members),
    }


def _probe(survey: "Surveyor") -> str:
    root = survey.api.landing.document()
    told = f"{root.get('title') or root.get('id') or 'no title'}, STAC {root.get('stac_version')}"
    return survey.api.transport.credentials.hide(told)  # some APIs greet a user with what they were sent


CLIENT_ROOT = Endpoint(
    name="client_root",
    path="GET /",
    description="""
The landing page of the API, `GET /`. One row: who the API is, the classes it conforms to and its links.
Every other asset starts from the links found here.
""",
    columns=columns(
        id=("text", "Identifier of the catalog"),
        title=("text", "Title"),
        description=("text", "Description, CommonMark"),
        stac_version=("text", "STAC version that the document claims"),
        url=("text!", "The base URL"),
        conforms_to=("json", "Conformance classes, as sent"),
        links=("json", "Links, as sent"),
        document=("json", "The whole landing page, as sent"),
    ),
    rows=_rows,
    probe=_probe,
)
