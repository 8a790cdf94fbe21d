"""Which links of a landing page are used, and why: a survey tells what a client does in silence."""

from dataclasses import dataclass

from stac_assets.stac.landing import Landing
from stac_assets.stac.representations import representation


@dataclass(frozen=True)
class UsedLink:
    """Where an endpoint is asked.

    Args:
        relation: the link relation that leads there.
        url: the URL.
        media_type: the media type of the link that is used; empty where it names none, or where none is used.
        passed_over: the media types of links of that relation that are not used; `none` for one without.
        is_linked: whether a link is used; otherwise it is the usual path.
        refused: the URL of a link that would be used, if its origin were followed.
    """

    relation: str
    url: str
    media_type: str
    passed_over: tuple[str, ...] = ()
    is_linked: bool = True
    refused: str | None = None


def used_link(landing: Landing, relation: str, method: str | None = None) -> UsedLink:
    """What is used of the links of a relation.

    Args:
        landing: the landing page.
        relation: the link relation.
        method: the HTTP method that is going to be used.
    """
    links = [link for link in landing.links() if link.rel == relation]
    url, chosen = landing.endpoint(relation, method), representation(links, relation, method)
    target = None if chosen is None else landing.resolved(chosen.href)
    media_type = (chosen.type or "") if chosen is not None and target == url else ""
    others = dict.fromkeys(link.type or "none" for link in links if link.type != media_type)
    refused = target if target != url else None
    return UsedLink(relation, url, media_type, tuple(others), target == url, refused)
