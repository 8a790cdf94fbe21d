"""Which of several links to one thing is followed, and the URLs below a URL."""

from collections.abc import Iterable
from urllib.parse import quote, urlsplit, urlunsplit

from stac_assets.stac.documents import Link

PREFERRED = ("application/geo+json", "application/json", "")
"""Media types in the order in which they are taken; the empty one is that of a link that names none."""


def representation(links: Iterable[Link], relation: str, method: str | None = None) -> Link | None:
    """The link of a relation that leads to JSON; None where there is none.

    A page or an endpoint may be linked several times, for people (HTML), as a description for search clients
    (OpenSearch, XML) and for programs. GeoJSON comes first, then JSON, then a link that names no media type,
    then any other kind of JSON; what is no JSON is never taken, nor is a template of URLs (RFC 6570).

    Args:
        links: the links of a document, in its order.
        relation: the link relation.
        method: the HTTP method that a link should be for, if links tell theirs (STAC API - Item Search).
    """
    found = representations(links, relation)
    if method is not None:
        found = [link for link in found if (link.method or method).upper() == method] or found
    return min(found, key=lambda link: _rank(link) or 0, default=None)


def representations(links: Iterable[Link], relation: str) -> list[Link]:
    """The links of a relation that lead to JSON, in their order."""
    return [link for link in links if link.rel == relation and _leads(link) and _rank(link) is not None]


def below(url: str, *segments: str) -> str:
    """The URL of what lies below `url`: its path with the segments, its query and trailing slash as they are.

    Args:
        url: an absolute URL.
        segments: parts of a path, which are quoted.
    """
    parts = urlsplit(url)
    path = "/".join((parts.path.rstrip("/"), *(quote(segment, safe="") for segment in segments)))
    return urlunsplit(parts._replace(path=path + "/" * parts.path.endswith("/"), fragment=""))


def _leads(link: Link) -> bool:
    """Whether a link has a URL that can be asked as it is."""
    return bool(link.href) and "{" not in link.href


def _rank(link: Link) -> int | None:
    """The place of a link's media type in the order of preference; None where it is no JSON."""
    media_type = (link.type or "").partition(";")[0].strip().lower()
    if media_type in PREFERRED:
        return PREFERRED.index(media_type)
    return len(PREFERRED) if media_type.endswith(("+json", "/json")) else None
