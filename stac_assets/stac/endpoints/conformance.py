"""The conformance classes (OGC API - Common)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stac_assets.stac.endpoints.endpoint import Endpoint, Row, columns

if TYPE_CHECKING:
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.survey import Surveyor


def _rows(api: "StacApi", collections: Sequence[str]) -> Iterator[Row]:
    for uri in api.conformance():
        yield {"uri": uri}


def _probe(survey: "Surveyor") -> str:
    survey.classes = survey.api.conformance()
    return f"{len(survey.classes)} classes"


CONFORMANCE = Endpoint(
    name="conformance",
    path="GET /conformance",
    relations=("conformance",),
    upstream="client_root",
    description="""
The conformance classes that the API claims, `GET /conformance` (or the landing page's `conformsTo`).
One row per class. Look here before relying on an extension such as `filter` or `sort`.
""",
    columns=columns(uri=("text!", "URI of a conformance class")),
    rows=_rows,
    probe=_probe,
)
