"""Credentials for a STAC API as plain values, whose repr shows no secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.links import is_confidential, is_http, shown

PLACEHOLDER = "your_api_key_here"
"""The API key of examples, which is never sent."""


@dataclass(frozen=True)
class OAuthClient:
    """An OAuth2 client that gets tokens for itself (RFC 6749, 4.4, client credentials).

    Args:
        token_url: the URL that issues tokens.
        client_id: the name of the client.
        client_secret: its secret.
        scope: the scope of the tokens.
        audience: the audience of the tokens.

    Raises:
        ConfigurationError: `token_url` is neither an https URL nor one of this machine.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    audience: str | None = None

    def __post_init__(self) -> None:
        if not is_http(self.token_url) or not is_confidential(self.token_url) or "@" in self.token_url:
            raise ConfigurationError(
                f"token_url is {shown(self.token_url)!r}; expected an https URL without a user: "
                "the client secret is sent there"
            )


@dataclass(frozen=True)
class Identity:
    """How requests are signed, beside or instead of a bearer token.

    Args:
        api_key_header: the header that carries the API key, instead of `Authorization: Bearer`.
        api_key_parameter: the query parameter that carries it.
        username: the user of HTTP basic authentication (RFC 7617), without a colon.
        password: the password of that user, which may be empty.
        oauth: the client that gets the bearer token.

    Raises:
        ConfigurationError: the parts contradict each other.
    """

    api_key_header: str | None = None
    api_key_parameter: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)
    oauth: OAuthClient | None = None

    def __post_init__(self) -> None:
        if self.api_key_header and self.api_key_parameter:
            raise ConfigurationError(
                "api_key_header and api_key_parameter are set; the API key goes into one"
            )
        if self.username is None and self.password:
            raise ConfigurationError("password is set, but not username")
        if ":" in (self.username or ""):
            raise ConfigurationError("username cannot hold a colon (RFC 7617)")

    @property
    def carries_key(self) -> bool:
        """Whether the API key goes into a header or parameter of its own."""
        return bool(self.api_key_header or self.api_key_parameter)


def check_identity(api_key: str | None, headers: Mapping[str, str], identity: Identity) -> None:
    """Check that a request can carry all credentials.

    Raises:
        ConfigurationError: two credentials claim the header `Authorization`, a name is given for an API key
            but no key, or a value holds a character that no header can. No value is shown.
    """
    authorizing = {
        "api_key": api_key not in (None, PLACEHOLDER) and not identity.carries_key,
        "username": identity.username is not None,
        "token_url": identity.oauth is not None,
    }
    claims = [name for name, is_given in authorizing.items() if is_given]
    if len(claims) > 1:
        raise ConfigurationError(
            f"{' and '.join(claims)} both claim the header Authorization; keep one, or name the header "
            "or the parameter that carries the API key (api_key_header, api_key_parameter)"
        )
    if identity.carries_key and not api_key:
        raise ConfigurationError("api_key_header or api_key_parameter is set, but no api_key")
    names = [*headers, *filter(None, [identity.api_key_header])]
    for name in names:
        if not name or not name.isascii() or not name.isprintable() or set(name) & set(' ":;,='):
            raise ConfigurationError(f"{name!r} cannot be the name of a header")
    carried = {"api_key": api_key or "", **{f"headers[{name!r}]": value for name, value in headers.items()}}
    for name, value in carried.items():
        if not fits_header(value):
            raise ConfigurationError(
                f"{name} holds a line break or another character that no header can carry (it is not shown)"
            )


def fits_header(value: str) -> bool:
    """Whether a header can carry `value` (RFC 9110, 5.5)."""
    return all(" " <= character <= "ÿ" and character != "\x7f" for character in value)
