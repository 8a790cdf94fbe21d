"""The links of the landing page, with the documents behind them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stac_assets.stac.endpoints.endpoint import Endpoint, Row, columns

if TYPE_CHECKING:
    from stac_assets.stac.api import StacApi
    from stac_assets.stac.survey import Surveyor


def _rows(api: "StacApi", collections: Sequence[str]) -> Iterator[Row]:
    for link in api.landing.links():
        found = api.link_document(link)
        status, document = found or (None, b"")
        yield {
            "rel": link.rel,
            "href": api.landing.resolved(link.href),
            "type": link.type,
            "title": link.title,
            "status": status,
            "document": document or None,
        }


def _probe(survey: "Surveyor") -> str:
    links = survey.api.landing.links()
    for link in links:
        if found := survey.api.link_document(link):
            return f"{len(links)} links; {link.rel} answers {found[0] or 'nothing'}"
    return f"{len(links)} links, none to another JSON document"


LANDING_PAGES = Endpoint(
    name="landing_pages",
    path="the links of the landing page",
    upstream="client_root",
    description="""
The links of the landing page, one row each, with the JSON document behind those of the API's own origin.
Links that other assets load (`child`, `item`, `data`, `search`, `self`, `root`) are listed, not followed.
""",
    columns=columns(
        rel=("text", "Link relation"),
        href=("text!", "Where the link leads, absolute"),
        type=("text", "Media type that the link claims"),
        title=("text", "Title of the link"),
        status=("bigint", "HTTP status of the document; null where it is not fetched"),
        document=("json", "The JSON document behind the link"),
    ),
    rows=_rows,
    probe=_probe,
)
