"""A STAC API whose links all lead to another one, where it is told so."""

from dataclasses import dataclass, replace

from stac_assets_tests.stac_api import StacApi
from stac_assets_tests.stac_api_faults import Reply, Request


@dataclass(kw_only=True, eq=False)
class PointingApi(StacApi):
    """An API that names another one in each document; a path `/moved` redirects there.

    Args:
        other: where its links lead; without one to itself.
        moved: paths below which it answers with a redirect to the other one.
    """

    other: StacApi | None = None
    moved: tuple[str, ...] = ()

    def answer(self, request: Request) -> Reply:
        if self.other is not None and request.path.startswith(self.moved or ("//",)):
            return Reply(302, b"", {"Location": self.other.url + request.path})
        reply = super().answer(request)
        if self.other is None:
            return reply
        return replace(reply, body=reply.body.replace(self.url.encode(), self.other.url.encode()))

    @property
    def heard(self) -> str:
        """All that it was told: targets, headers, bodies."""
        return "\n".join(
            f"{request.target} {sorted(request.headers.items())} {request.body}" for request in self.requests
        )
