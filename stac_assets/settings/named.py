"""The catalogs that have a name: which ones are configured, and which one is meant.

Each is a table `[sources.pystac_client_source.catalogs.<name>]`, or variables of the environment alone.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from stac_assets.settings.chosen_api import NAMING
from stac_assets.settings.configuration import configured, found
from stac_assets.settings.model import SETTINGS
from stac_assets.settings.section import CATALOGS, COMMON
from stac_assets.stac.errors import ConfigurationError

KEY = f"{COMMON.key}.{CATALOGS}"
PREFIX = f"{COMMON.env_prefix}{CATALOGS.upper()}__"
_VARIABLE = re.compile(r"(.+?)__([A-Z0-9].*)")
"""The rest of a variable's name: a catalog, whose name may end with `_`, and a setting."""


def configured_names() -> tuple[str, ...]:
    """The names of the catalogs that are configured, in order; none where there is one without a name.

    Raises:
        ConfigurationError: what stands in the place of catalogs is none.
    """
    names = {name for table in found(KEY) for name in _catalogs(table)}
    names |= {
        _catalog_of(name) for name, value in os.environ.items() if name.startswith(PREFIX) and value != ""
    }
    return tuple(sorted(names))


def chosen(name: str | None, is_new: bool = False) -> str | None:
    """The catalog that is meant: the one that is asked for, or else the only one.

    Args:
        name: what was asked for; None where nothing was.
        is_new: whether what is given makes a catalog of any name.

    Returns:
        Its name; None for the catalog without one.

    Raises:
        ConfigurationError: no catalog has that name, or none was asked for and there are several.
    """
    names = configured_names()
    if name is None:
        if len(names) > 1:
            raise ConfigurationError(
                f"several catalogs are configured: {', '.join(names)}; name one by --catalog (`catalog=` in "
                "Python)"
            )
        return names[0] if names else None
    if name in names or is_new:
        return name
    raise ConfigurationError(f"there is no catalog {name!r}; {_known(name, names)}")


def makes_a_catalog(given: Mapping[str, Any]) -> bool:
    """Whether arguments or flags say what a catalog is that is configured nowhere."""
    return any(given.get(name) is not None for name in NAMING)


def told_of_unused(names: Iterable[str]) -> str:
    """A line that names what is set for all catalogs, and counts for none of those that have names."""
    unused = [
        f"{name} under [{place}]" for place, name in _NOT_FOR_ALL if configured(f"{place}.{name}") is not None
    ]
    if not unused:
        return ""
    return (
        f"{', '.join(unused)} (or as a variable) does not count for the catalogs {', '.join(names)}: "
        f"each has its own, under [{KEY}.<name>]"
    )


_NOT_FOR_ALL = (
    *((COMMON.key, name) for name, setting in SETTINGS.items() if setting.is_ours and not setting.is_common),
    ("pipeline", "dataset_name"),
)
"""Where settings stand of which each catalog with a name has its own."""


def _known(name: str, names: tuple[str, ...]) -> str:
    if not names:
        return (
            f"none is configured. Give it a `base_url` or a `preset` under [{KEY}.{name}] in "
            f".dlt/config.toml, or as {COMMON.of_catalog(name).variable('base_url')}"
        )
    near = difflib.get_close_matches(name, names, n=1)
    advice = f"did you mean {near[0]!r}? " if near else ""
    return f"{advice}configured are: {', '.join(names)} (under [{KEY}.<name>], or {PREFIX}<NAME>__…)"


def _catalogs(table: Any) -> Iterable[str]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{KEY} is no table; expected a table [{KEY}.<name>] for each catalog")
    for name, settings in table.items():
        if not isinstance(settings, Mapping):
            raise ConfigurationError(
                f"{name!r} under [{KEY}] is no table; expected the settings of a catalog under [{KEY}.<name>]"
            )
    return map(str, table)


def _catalog_of(variable: str) -> str:
    parts = _VARIABLE.fullmatch(variable.removeprefix(PREFIX))
    if parts is None:
        raise ConfigurationError(
            f"the environment variable {variable} names no setting of a catalog; expected "
            f"{PREFIX}<NAME>__<SETTING>, such as {PREFIX}EAST__BASE_URL"
        )
    return parts[1].lower()
