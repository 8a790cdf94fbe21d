"""The options of a client of one STAC API, as one immutable value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stac_assets.stac.http.identity import Identity, check_identity

RequestModifier = Callable[[Any], Any]
"""Takes a `requests.Request`, changes it or returns another one, as in `pystac_client.Client.open`."""
Where = Callable[[str], str]
"""Takes the name of an option, and says where its user sets it, for an error message."""

Counting = Literal["auto", "never"]
SearchMethod = Literal["auto", "GET"]


def by_name(option: str) -> str:
    """Where an option is set that is given in Python: it is called by its name."""
    return f"`{option}`"


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """Where a STAC API is, how requests are signed, and how politely they are sent.

    Times are in seconds, sizes in bytes. There are no defaults: whoever declares a setting declares its
    default.

    Args:
        base_url: the URL of the landing page, without a trailing slash.
        api_key: a bearer token, unless `credentials` says that it goes elsewhere.
        headers: headers for each request to a trusted origin.
        credentials: how requests are signed, beside or instead of a bearer token.
        trusted_origins: URLs of the origins that get the credentials too, such as that of `next` links.
        request_modifier: changes each request to a trusted origin before it is signed.
        page_size: items of a page.
        search_method: `auto` to search by POST unless the API refuses it, or `GET`.
        counts: whether further questions for counts alone may be asked: `auto`, or `never`.
        max_concurrent_requests: requests that are under way at the same time.
        requests_per_second: the most requests in a second; None for no limit.
        pace_folder: tells where the processes of this machine that have such a limit keep it together.
        connect_timeout: until there is a connection.
        read_timeout: until the next bytes of an answer come.
        request_timeout: until an answer is complete.
        max_retries: how often a request is sent again after a fault that may pass.
        backoff: the wait before the first retry, which doubles with each further one.
        max_backoff: the longest such wait.
        max_retry_after: the longest wait that an API may ask for with `Retry-After`.
        max_response_bytes: the largest body of an answer, decompressed.
        withheld: why credentials that there are do not sign requests to this API, in a line; empty where none
            is held back.
        where: says where an option is set, for an error message.

    Raises:
        ConfigurationError: the credentials contradict each other.
    """

    base_url: str
    api_key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    credentials: Identity = field(repr=False)
    trusted_origins: tuple[str, ...]
    request_modifier: RequestModifier | None = field(repr=False)
    page_size: int
    search_method: SearchMethod
    counts: Counting
    max_concurrent_requests: int
    requests_per_second: float | None
    pace_folder: Callable[[], Path] = field(repr=False, compare=False)
    connect_timeout: float
    read_timeout: float
    request_timeout: float
    max_retries: int
    backoff: float
    max_backoff: float
    max_retry_after: float
    max_response_bytes: int
    withheld: str = field(repr=False)
    where: Where = field(default=by_name, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_identity(self.api_key, self.headers, self.credentials)

    @property
    def token_help(self) -> str:
        """What to do when the API does not accept the credentials, or wants some."""
        if self.withheld:
            return self.withheld[0].upper() + self.withheld[1:]
        return (
            f"Set the token as {self.where('api_key')}; what is no bearer token goes under "
            f"{self.where('credentials')}"
        )
