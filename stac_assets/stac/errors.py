"""The errors of a STAC API. Every message names the URL, what came, and what to do."""


class StacError(Exception):
    """The base of all errors: no exact answer was to be had from a STAC API."""


class ConfigurationError(StacError, ValueError):
    """A setting or an argument cannot be used; the message names it, and what is accepted."""


class NotAStacApi(StacError):
    """The base URL answers, but not with a STAC landing page."""


class Unreachable(StacError):
    """The host gave no answer: DNS, a refused connection, a time-out or TLS."""


class RequestFailed(StacError):
    """The API answered with an error, or with something else than the expected JSON.

    Args:
        message: what is shown.
        status: the HTTP status; None where the status is not what is wrong.
        body: how the body began, as it came, which may tell what is wrong; it is not to be shown.
    """

    def __init__(self, message: str, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class RequestTooHeavy(RequestFailed):
    """The API failed at a request again and again; a request for less may succeed."""


class TookTooLong(RequestTooHeavy):
    """The API did not send an answer in the time that it is given, or not all of it."""


class AuthenticationError(RequestFailed):
    """The API answered 401, or 403 before any success, or (without a status) no token was issued."""


class MethodRefused(RequestFailed):
    """The API does not accept POST here; GET may succeed."""


class EndpointMissing(StacError, NotImplementedError):
    """The API does not have the endpoint that was asked for."""


class UnknownCollection(StacError):
    """The API has no collection of that id."""


class PagingError(StacError):
    """The pages of a result do not lead to its end, so that it is not known to be complete."""


class LongRequest(StacError):
    """The URL of a request for several collections is longer than servers take; ask for fewer at a time."""


class LoopingNext(PagingError):
    """A `next` link leads back to a page that was already read."""


class UntrustedLink(StacError):
    """A link is not followed, because it leads to an origin that is not trusted, or is no http(s) URL."""


class Cancelled(StacError):
    """The caller asked to stop."""
