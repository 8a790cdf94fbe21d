"""What an API answers to one request."""

from collections.abc import Callable
from dataclasses import dataclass, field

from stac_assets.stac.http.redaction import without_queries


@dataclass(frozen=True)
class Answer:
    """What came back: the URL that answered, its status, and the whole body, decompressed and in UTF-8."""

    url: str
    status: int
    body: bytes
    content_type: str
    location: str | None = None
    retry_after: float | None = None
    outdated: bool = False
    """401, to a token that the next request will not carry any more."""
    hide: Callable[[str], str] = field(default=str, repr=False, compare=False)

    def beginning(self) -> str:
        """The first bytes of the body, for an error message, without any secret that it echoes."""
        return repr(without_queries(self.hide(self.body[:4096].decode("utf-8", "replace")))[:160])
