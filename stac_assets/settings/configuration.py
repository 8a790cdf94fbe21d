"""What dlt's configuration holds under a key, asked for by that very key.

dlt is imported when it is asked: whoever only imports our package reads no configuration.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from stac_assets.settings.model import SETTINGS
from stac_assets.settings.section import SECTION
from stac_assets.settings.unreadable import unreadable

if TYPE_CHECKING:
    from dlt.common.configuration.providers import ConfigProvider

SECRETS = frozenset(name for name, setting in SETTINGS.items() if setting.is_secret)
NOTHING = (None, "")
"""What stands for no value: an empty variable hides nothing that a file says."""


def providers() -> "Sequence[ConfigProvider]":
    """dlt's providers, the first one's values first: environment, `secrets.toml`, others, `config.toml`.

    They are asked directly, because `dlt.secrets` leaves `config.toml` out, `dlt.config` keeps the values for
    dlt's trace, which is written to disk, and dlt's own injection would take a bare `API_KEY` too.

    Raises:
        ConfigurationError: dlt cannot read a file of settings.
    """
    import dlt
    from dlt.common.configuration.providers.toml import TomlProviderReadException

    try:
        return dlt.config.config_providers
    except TomlProviderReadException as error:
        refused = unreadable(error.full_paths, str(error).partition("\n")[2])
    raise refused  # here, so that it has no context, which would be told as well


def typed_providers() -> "Sequence[ConfigProvider]":
    """Those whose values somebody typed for this process: the environment. All others keep what they hold."""
    from dlt.common.configuration.providers import EnvironProvider

    return [provider for provider in providers() if isinstance(provider, EnvironProvider)]


def held(provider: "ConfigProvider", key: str) -> Any:
    """What one provider holds under exactly this key; None for nothing."""
    from dlt.common.typing import TSecretValue

    *sections, name = key.split(".")
    is_secret = key.startswith(f"{SECTION}.") and not SECRETS.isdisjoint(key.split("."))
    hint = cast(Any, TSecretValue if is_secret else Any)
    value, _ = provider.get_value(name, hint, cast(Any, None), *sections)
    return value


def found(key: str, among: "Sequence[ConfigProvider] | None" = None) -> Iterator[Any]:
    """What providers hold under exactly this key. An empty text is nothing, like an unset variable.

    Args:
        key: dotted.
        among: the providers that are asked, by default all.
    """
    asked = providers() if among is None else among
    return (value for provider in asked if (value := held(provider, key)) not in NOTHING)


def configured(key: str, among: "Sequence[ConfigProvider] | None" = None) -> Any:
    """The value in force under exactly this key, by the arguments of `found`; None where there is none."""
    return next(found(key, among), None)


def names_in(section: str) -> set[str]:
    """The names that stand in a section, or as environment variables of that section.

    No setting begins with `_`: `…__A___BASE_URL` is one of the catalog `a_`, and none of `a`.
    """
    prefix = section.replace(".", "__").upper() + "__"
    tables = {name for table in found(section) if isinstance(table, Mapping) for name in table}
    standing = {name.removeprefix(prefix) for name in os.environ if name.startswith(prefix)}
    return tables | {name.lower() for name in standing if not name.startswith("_")}
