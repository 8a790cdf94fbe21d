"""A STAC API with any mixture of the oddities that real ones have."""

import json
from dataclasses import dataclass, replace
from typing import Any

from stac_assets_tests.linked_api import LinkedApi
from stac_assets_tests.stac_api import Document, StacApi
from stac_assets_tests.stac_api_faults import Reply, Request

LATER_PAGES: dict[str, Reply] = {
    **{
        f"status {status}": Reply.error(status, "not this page")
        for status in (401, 403, 409, 410, 414, 416, 431)
    },
    "HTML": Reply(200, b"<!doctype html><title>Please log in</title>", {"Content-Type": "text/html"}),
    "JSON of another kind": Reply(200, b'{"message": "not this page"}', {"Content-Type": "application/json"}),
    "a list": Reply(200, b"[]", {"Content-Type": "application/json"}),
}
"""How APIs answer to pages behind the last one that they can make."""


@dataclass(kw_only=True, eq=False)
class OddApi(LinkedApi):
    """The API.

    Args:
        missing: the link relations that its landing page lacks.
        moved: the status with which `/search` is redirected; 0 for none.
        last_page: the pages of an answer of which later ones are not to be had; None if all are.
        later: what comes instead of later ones.
        highest_limit: a `limit` above it is refused; None if none is.
        refusal: the status of that.
        tells_limit: whether the refusal says which limit it is.
    """

    missing: frozenset[str] = frozenset()
    moved: int = 0
    last_page: int | None = None
    later: Reply = LATER_PAGES["HTML"]
    highest_limit: int | None = None
    refusal: int = 400
    tells_limit: bool = True

    def answer(self, request: Request) -> Reply:
        path = "/" + "/".join(filter(None, request.segments))
        if path == "/search" and self.moved:
            query = request.target.partition("?")[2]
            moved = f"{self.prefix}/moved/search" + (f"?{query}" if query else "")
            return Reply(self.moved, b"", {"Location": moved})
        if path == "/moved/search":
            request = replace(request, segments=("search",))
        return super().answer(request)

    def _landing_page(self) -> Document:
        page = super()._landing_page()
        page["links"] = [link for link in page["links"] if link["rel"] not in self.missing]
        return page

    def _page(self, request: Request, parameters: Document) -> Reply:
        limit = int(parameters.get("limit") or self.default_limit)
        if self.highest_limit is not None and limit > self.highest_limit:
            told = f"limit must be at most {self.highest_limit}" if self.tells_limit else "bad request"
            return Reply.error(self.refusal, told)
        if self.last_page is not None and self._offset(request, parameters) >= self.last_page * limit:
            return self.later
        return super()._page(request, parameters)


def become(api: StacApi, **options: Any) -> None:
    """Give an API that runs other options."""
    for name, value in options.items():
        setattr(api, name, value)


def document(item: Document) -> str:
    """The canonical text of a document, to compare by."""
    return json.dumps(item, sort_keys=True)
