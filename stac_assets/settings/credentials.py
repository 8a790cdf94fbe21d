"""Credentials as dlt configuration: from any provider of secrets that dlt has, into a plain value."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.typing import TSecretStrValue

from stac_assets.settings.configuration import held, names_in, providers
from stac_assets.settings.section import COMMON, Section
from stac_assets.settings.values import without_line_end
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.identity import Identity, OAuthClient

if TYPE_CHECKING:
    from dlt.common.configuration.providers import ConfigProvider


@configspec
class StacCredentials(CredentialsConfiguration):
    """Who we are at a STAC API, as `[sources.pystac_client_source.credentials]` says; each may be left out.

    Args:
        api_key: a bearer token, unless one of the next two names another place for it.
        api_key_header: header that carries `api_key`.
        api_key_parameter: query parameter that carries `api_key`.
        username: for HTTP basic authentication.
        password: for HTTP basic authentication.
        token_url: where OAuth2 client credentials get a token; https.
        client_id: of the OAuth2 client.
        client_secret: of the OAuth2 client.
        scope: asked for with the token, if given.
        audience: asked for with the token, if given.

    Example:
        >>> StacCredentials(api_key="s3cr3t", api_key_header="X-Api-Key")
        StacCredentials(api_key, api_key_header)
    """

    api_key: TSecretStrValue | None = None
    api_key_header: str | None = None
    api_key_parameter: str | None = None
    username: TSecretStrValue | None = None
    password: TSecretStrValue | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret: TSecretStrValue | None = None
    scope: str | None = None
    audience: str | None = None

    def __repr__(self) -> str:
        return f"StacCredentials({', '.join(self.given())})"

    __str__ = __repr__

    def given(self) -> dict[str, str]:
        """The fields that are set, by name."""
        values = {field: getattr(self, field) for field in FIELDS}
        return {name: value for name, value in values.items() if value}

    def identity(self, section: Section = COMMON) -> Identity:
        """The same without dlt, and without `api_key`.

        Args:
            section: of the catalog that it signs for.

        Raises:
            ConfigurationError: they are not complete, or contradict each other.
        """
        given = self.given()
        client = {name: given[name] for name in _CLIENT if name in given}
        missing = [name for name in _CLIENT[:3] if name not in client]
        if client and missing:
            raise ConfigurationError(
                f"[{section.credentials}] has {', '.join(client)}, but lacks {', '.join(missing)}"
            )
        signing = {name: given[name] for name in _SIGNING if name in given}
        return Identity(**signing, oauth=OAuthClient(**client) if client else None)


FIELDS = tuple(StacCredentials().get_resolvable_fields())
_CLIENT = ("token_url", "client_id", "client_secret", "scope", "audience")
_SIGNING = ("api_key_header", "api_key_parameter", "username", "password")


_GOES_WITH = {
    "api_key": ("api_key_header", "api_key_parameter"),
    "password": ("username",),
    "client_secret": ("token_url", "client_id", "scope", "audience"),
}
"""What says how a secret is sent, by the field that holds the secret."""


def read_credentials(
    given: Any = None, among: "Sequence[ConfigProvider] | None" = None, section: Section = COMMON
) -> StacCredentials:
    """The credentials that are given, or else those in dlt's configuration.

    dlt itself would look further, for a bare `PASSWORD` or `CREDENTIALS__USERNAME` that belongs to something
    else, and would keep what it finds for its trace.

    Args:
        given: an argument, which stands for all that is configured.
        among: the providers that are asked, by default all.
        section: of the catalog.

    Raises:
        ConfigurationError: a name is unknown or a value is no text; values are not shown.
    """
    key = section.credentials
    if isinstance(given, StacCredentials):
        return given
    if given is not None:
        return StacCredentials(**_checked(_table(given, key), key))
    values: dict[str, Any] = dict.fromkeys(names_in(key))
    for provider in reversed(providers() if among is None else among):
        whole = held(provider, key)
        values |= {} if whole is None else _table(whole, key)
        values |= {name: value for name in FIELDS if (value := held(provider, f"{key}.{name}")) is not None}
    return StacCredentials(**_checked(values, key))


def without_stored(typed: StacCredentials, stored: StacCredentials, has_key: bool) -> StacCredentials:
    """The credentials that were typed, with what is stored of how these very ones are sent.

    Args:
        typed: of the environment.
        stored: of all providers, whose secrets are left out.
        has_key: whether an API key was typed elsewhere.
    """
    fields = typed.given()
    secrets = {*fields, *(["api_key"] if has_key else [])}
    of_all = stored.given()
    kept = {name for secret in secrets for name in _GOES_WITH.get(secret, ()) if name in of_all}
    return StacCredentials(**{name: of_all[name] for name in kept} | fields)


def _table(value: Any, key: str) -> dict[str, Any]:
    try:
        table = json.loads(value) if isinstance(value, str) else value
        return dict(table)
    except (TypeError, ValueError):
        pass
    raise ConfigurationError(f"{key} must be a table, or JSON with the same names (it is not shown)")


def _checked(values: Mapping[str, Any], key: str) -> dict[str, str]:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise ConfigurationError(f"unknown setting {unknown[0]!r} in [{key}]; known are: {', '.join(FIELDS)}")
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(f"{name} in [{key}] must be text (its value is not shown)")
    # a secret that is mounted as a file ends with its line
    return {name: without_line_end(value) for name, value in values.items() if value}
