"""A STAC API whose landing page has other links than usual, and the shapes that links have in real ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from stac_assets_tests.stac_api import Document, StacApi
from stac_assets_tests.stac_api_faults import Reply, Request

Relink = Callable[[str, Document], list[Document]]
"""Takes the URL of the API and a link, and gives what the landing page has instead."""


@dataclass(kw_only=True, eq=False)
class LinkedApi(StacApi):
    """An API whose landing page has other links than usual."""

    relink: Relink = lambda url, link: [link]
    only: Callable[[Request], bool] = lambda request: True
    """Whether the API knows a URL at all; it answers 404 to any other."""

    def answer(self, request: Request) -> Reply:
        if not self.only(request):
            return Reply.error(404, f"there is no {request.target}")
        return super().answer(replace(request, segments=tuple(filter(None, request.segments))))

    def _landing_page(self) -> Document:
        page = super()._landing_page()
        page["links"] = [new for link in page["links"] for new in self.relink(self.url, link)]
        return page


def with_query(url: str, link: Document) -> list[Document]:
    return [{**link, "href": link["href"] + "?f=json"}]


def with_slash(url: str, link: Document) -> list[Document]:
    return [{**link, "href": link["href"].rstrip("/") + "/"}]


def for_people_first(url: str, link: Document) -> list[Document]:
    others = ("text/html", "application/opensearchdescription+xml", "application/xml", "TEXT/HTML; charset=x")
    return [*({**link, "type": other, "href": f"{link['href']}.page"} for other in others), link]


def untyped(url: str, link: Document) -> list[Document]:
    return [{**link, "type": "text/html", "href": url + "/nowhere"}, {**link, "type": None}]


def relative_to_the_page(url: str, link: Document) -> list[Document]:
    return [{**link, "href": urlsplit(link["href"]).path.lstrip("/") or "."}]


def relative_to_the_folder(url: str, link: Document) -> list[Document]:
    return [{**link, "href": "." + link["href"].removeprefix(url)}]


def by_path(url: str, link: Document) -> list[Document]:
    return [{**link, "href": urlsplit(link["href"]).path}]


def beside_a_template(url: str, link: Document) -> list[Document]:
    """As some APIs link their search by GET (RFC 6570)."""
    return [{**link, "href": link["href"] + "{?bbox,datetime}"}, link]


def with_blanks(url: str, link: Document) -> list[Document]:
    return [{**link, "href": f" \n{link['href']} "}]


SHAPES: tuple[tuple[Relink, Callable[[Request], bool]], ...] = (
    (with_query, lambda request: request.path == "/" or request.query.get("f") == "json"),
    (with_slash, lambda request: request.target.partition("?")[0].endswith("/") or request.path == "/"),
    (for_people_first, lambda request: ".page" not in request.target),
    (untyped, lambda request: "nowhere" not in request.target),
    (relative_to_the_page, lambda request: True),
    (relative_to_the_folder, lambda request: True),
    (by_path, lambda request: True),
    (with_blanks, lambda request: True),
    (beside_a_template, lambda request: "{" not in request.target and "%7B" not in request.target),
)
"""What links are made of, and which URLs an API with such links knows."""
