"""The answer to one request."""

from collections.abc import Callable
from dataclasses import dataclass, field

from stac_assets.stac.http.redaction import without_queries


@dataclass(frozen=True)
class Answer:
    """The answer to one request.

    Args:
        url: the URL that answered, without an API key.
        status: the HTTP status.
        body: the whole body, decompressed and in UTF-8.
        content_type: the header `Content-Type`.
        location: where a redirect leads.
        retry_after: seconds after which the API wants to be asked again.
        outdated: whether the status is 401, for a token that the next request will not carry any more.
        hide: removes secrets from a text.
    """

    url: str
    status: int
    body: bytes
    content_type: str
    location: str | None = None
    retry_after: float | None = None
    outdated: bool = False
    hide: Callable[[str], str] = field(default=str, repr=False, compare=False)

    def beginning(self) -> str:
        """The first bytes of the body for an error message, without the secrets that it may echo."""
        return repr(self.told(self.body[:4096].decode("utf-8", "replace"), 160))

    def told(self, text: str, most: int) -> str:
        """The first characters of a text that it holds, without secrets; for an error message."""
        return without_queries(self.hide(text))[:most]
