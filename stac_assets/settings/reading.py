"""Reads every setting, once, from dlt's configuration into one immutable value.

Precedence: argument or flag, environment, `.dlt/secrets.toml`, `.dlt/config.toml`, preset, default. A setting
`x` is `x` under `[sources.pystac_client_source]`, or the environment variable
`SOURCES__PYSTAC_CLIENT_SOURCE__X`.
Of what signs requests `signing` says which of them goes to the API.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from stac_assets.settings.chosen_api import preset_lines, signed_as
from stac_assets.settings.configuration import configured, names_in
from stac_assets.settings.model import SETTINGS, Settings
from stac_assets.settings.section import COMMON, CREDENTIALS
from stac_assets.settings.signing import signing_values
from stac_assets.settings.validation import unknown_setting

logger = logging.getLogger("stac_assets")


def read_settings(**arguments: Any) -> Settings:
    """The settings in force, without network.

    Args:
        arguments: settings by name that come before all others; None means not given.

    Raises:
        ConfigurationError: a setting does not exist or has a value that cannot be used.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    _refuse_unknown(given, "argument", [name for name, setting in SETTINGS.items() if setting.is_argument])
    ours = [name for name, setting in SETTINGS.items() if setting.is_ours]
    standing = {name for name in names_in(COMMON.key) if not name.startswith(f"{CREDENTIALS}__")}
    _refuse_unknown(standing, f"[{COMMON.key}] or {COMMON.env_prefix}…", ours)
    values = {name: configured(f"{COMMON.key}.{name}") for name in ours if name not in given} | given
    values |= preset_lines(values, given)
    values |= signed_as(signing_values(given, values), values.get("preset"))
    values |= _of_dlt(given)
    settings = Settings(**{name: value for name, value in values.items() if value not in (None, "")})
    if settings.withheld:
        logger.warning("%s", settings.withheld)
    if "API_KEY" in os.environ and settings.api_key is None:
        logger.warning(
            "the environment variable API_KEY is set; it may belong to something else and is not sent. "
            "If it is the token of %s, name it %s",
            settings.base_url,
            COMMON.variable("api_key"),
        )
    return settings


def _of_dlt(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are dlt's own; some stand in a section of the destination."""
    keys = {name: setting.dlt_key.key for name, setting in SETTINGS.items() if setting.dlt_key}
    default = SETTINGS["destination"].default
    destination = given.get("destination") or configured(keys["destination"]) or default
    found = {name: configured(key.format(destination)) for name, key in keys.items() if name not in given}
    return {**found, "destination": destination}


def _refuse_unknown(names: Iterable[str], where: str, known: Iterable[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise unknown_setting(unknown[0], where, known)
