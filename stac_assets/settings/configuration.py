"""What dlt's configuration holds under a key, asked for by that very key."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import dlt
from dlt.common.configuration.providers import ConfigProvider
from dlt.common.typing import TSecretValue

SECTION = "sources.pystac_client_source"
ENV_PREFIX = "SOURCES__PYSTAC_CLIENT_SOURCE__"
CREDENTIALS = "credentials"
SECRETS = tuple(f"{SECTION}.{name}" for name in ("api_key", "headers", CREDENTIALS))


def providers() -> Sequence[ConfigProvider]:
    """dlt's providers, the first one's values first: environment, `secrets.toml`, others, `config.toml`.

    They are asked directly, because `dlt.secrets` leaves `config.toml` out, `dlt.config` keeps the values for
    dlt's trace, which is written to disk, and dlt's own injection would take a bare `API_KEY` too.
    """
    return dlt.config.config_providers


def held(provider: ConfigProvider, key: str) -> Any:
    """What one provider holds under exactly this key; None for nothing."""
    *sections, name = key.split(".")
    is_secret = key.startswith(SECRETS)
    hint = cast(Any, TSecretValue if is_secret else Any)
    value, _ = provider.get_value(name, hint, cast(Any, None), *sections)
    return value


def found(key: str) -> Iterator[Any]:
    """What the providers hold under exactly this key."""
    return (value for provider in providers() if (value := held(provider, key)) is not None)


def configured(key: str) -> Any:
    """The value in force under exactly this key; None where there is none."""
    return next(found(key), None)


def names_in(section: str) -> set[str]:
    """The names that stand in a section, or as environment variables of that section."""
    prefix = section.replace(".", "__").upper() + "__"
    tables = {name for table in found(section) if isinstance(table, Mapping) for name in table}
    return tables | {name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix)}
