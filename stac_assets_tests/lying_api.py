"""A STAC API whose counts, pages and `next` links lie in the ways that real ones do."""

from dataclasses import dataclass
from typing import Any, Literal

from stac_assets_tests.faulty_pages import token_of, without_next
from stac_assets_tests.stac_api import RawItem, StacApi
from stac_assets_tests.stac_api_faults import Reply, Request


@dataclass(kw_only=True, eq=False)
class LyingApi(StacApi):
    """The API; what it lies about can be changed while it runs."""

    cap: int | None = None
    """The most items that a result has, in its pages and in its count."""
    counts: Literal["of the page", "stale"] | None = None
    """What its count is of, if not of the result."""
    stale: int = 0
    """The count of yesterday, which is also where its pages end; of questions for times only."""
    loses: tuple[str, ...] = ()
    """The parameters that its `next` links lose."""
    loses_next: bool = False

    def _extended(self, found: list[RawItem], parameters: dict[str, Any]) -> list[RawItem]:
        return super()._extended(found, parameters)[: self.cap]

    def _page(self, request: Request, parameters: dict[str, Any]) -> Reply:
        self.on_page = self._altered
        if token_of(request):
            parameters = {name: value for name, value in parameters.items() if name not in self.loses}
        return super()._page(request, parameters)

    def _altered(self, page: Any, request: Request) -> Any:
        if self.counts == "of the page":
            page["numberMatched"] = len(page["features"])
        if self.counts == "stale":
            page["numberMatched"] = min(self.stale, page["numberMatched"])
        if self.loses_next:
            without_next(page)
        for item in page["features"]:
            item["id"] = item["id"].partition("#")[0]
        return page


def searches(api: StacApi) -> int:
    """How many requests for items the API got."""
    return sum(request.path == "/search" or request.path.endswith("/items") for request in api.requests)
