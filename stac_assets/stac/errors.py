"""What can go wrong with a STAC API. Every message names the URL, what came, and what to do."""


class StacError(Exception):
    """Any failure to get an exact answer from a STAC API."""


class ConfigurationError(StacError, ValueError):
    """A setting, a date or an argument is not usable; the message names it and what is accepted."""


class NotAStacApi(StacError):
    """The base URL answers, but not with a STAC landing page."""


class Unreachable(StacError):
    """No answer came from the host: DNS, refused connection, time-out, TLS."""


class RequestFailed(StacError):
    """The API answered with an error, or with something that is not the expected JSON."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RequestTooHeavy(RequestFailed):
    """The API failed at this request again and again; a request for less may succeed."""


class AuthenticationError(RequestFailed):
    """401, or 403 before anything had succeeded, or no token to be had (then without a status)."""


class MethodRefused(RequestFailed):
    """The API does not accept POST here; the caller may start again with GET."""


class EndpointMissing(StacError, NotImplementedError):
    """The API does not have the endpoint that an asset reads."""


class UnknownCollection(StacError):
    """The API has no collection of that id."""


class PagingError(StacError):
    """The pages of a result do not lead to its end, so nothing can be said to be complete."""


class LoopingNext(PagingError):
    """A `next` link leads back to a page that was already read."""


class UntrustedLink(StacError):
    """A link leads where we do not go: to another origin, or to what is no http(s) URL."""


class Cancelled(StacError):
    """The caller asked to stop; nothing was stored."""
