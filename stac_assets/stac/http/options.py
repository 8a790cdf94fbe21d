"""How to talk to one STAC API: one immutable value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stac_assets.stac.http.identity import Identity, check_identity

RequestModifier = Callable[[Any], Any]
"""Takes a `requests.Request`, changes it or returns another one, as in `pystac_client.Client.open`."""


@dataclass(frozen=True)
class ApiOptions:
    """Where a STAC API is, who we are there, and how politely we ask.

    `api_key` is a bearer token, unless `credentials` says where else it goes. Times are in seconds, sizes in
    bytes.

    Raises:
        ConfigurationError: the credentials contradict each other.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: Identity = field(default=Identity(), repr=False)
    trusted_origins: tuple[str, ...] = ()
    request_modifier: RequestModifier | None = field(default=None, repr=False)
    page_size: int = 200
    max_concurrent_requests: int = 4
    requests_per_second: float | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    request_timeout: float = 300.0
    max_retries: int = 6
    backoff: float = 0.5
    max_backoff: float = 60.0
    max_retry_after: float = 300.0
    max_response_bytes: int = 512 * 1024 * 1024

    def __post_init__(self) -> None:
        check_identity(self.api_key, self.headers, self.credentials)
