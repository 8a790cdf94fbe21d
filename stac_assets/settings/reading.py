"""Reads every setting, once, from dlt's configuration into one immutable value.

Precedence: argument or flag, environment, `.dlt/secrets.toml`, `.dlt/config.toml`, preset, default. A setting
`x` is `x` under `[sources.pystac_client_source]`, or the environment variable
`SOURCES__PYSTAC_CLIENT_SOURCE__X`. A catalog with a name has a section of its own, and after its preset comes
what stands in that one for all catalogs (`layers`). Of what signs requests `signing` says which of them goes
to the API.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from stac_assets.settings.chosen_api import signed_as
from stac_assets.settings.configuration import NOTHING, configured, names_in
from stac_assets.settings.layers import gathered, own_names
from stac_assets.settings.model import SETTINGS, Settings
from stac_assets.settings.named import configured_names
from stac_assets.settings.section import CATALOGS, COMMON, CREDENTIALS, Section
from stac_assets.settings.signing import signing_values
from stac_assets.settings.validation import read_alone, unknown_setting
from stac_assets.settings.values import ALL_COLLECTIONS
from stac_assets.stac.errors import ConfigurationError

logger = logging.getLogger("stac_assets")


def read_settings(catalog: str | None = None, /, **arguments: Any) -> Settings:
    """The settings in force, without network.

    Args:
        catalog: the name of a catalog; None for the one without a name.
        arguments: settings by name that come before all others; None means not given.

    Raises:
        ConfigurationError: a setting does not exist or has a value that cannot be used, or catalogs have
            names and none is given.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    _refuse_unknown(given, "argument", [name for name, setting in SETTINGS.items() if setting.is_argument])
    _refuse_unknown(
        _standing(COMMON), f"[{COMMON.key}] or {COMMON.env_prefix}…", (*own_names(COMMON), CATALOGS)
    )
    if catalog is None and (names := configured_names()):
        raise ConfigurationError(
            f"catalogs have names here: {', '.join(names)}; there is none without beside them"
        )
    section = COMMON if catalog is None else COMMON.of_catalog(catalog)
    if section != COMMON:
        _refuse_in_a_section(_standing(section), section)
    values, places = _gathered(section, given)
    values |= _of_dlt(given, section)
    settings = _checked(values, section, places)
    if settings.withheld:
        logger.warning("%s", settings.withheld)
    if "API_KEY" in os.environ and settings.api_key is None:
        logger.warning(
            "the environment variable API_KEY is set; it may belong to something else and is not sent. "
            "If it is the token of %s, name it %s",
            settings.base_url,
            section.variable("api_key"),
        )
    return settings


def _gathered(section: Section, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of the settings and their places; an error names the section that it is about."""
    try:
        values, places = gathered(section, given)
        if section != COMMON:
            _refuse_nowhere(values, section)
            if values["collections"] in NOTHING:
                values["collections"] = ALL_COLLECTIONS
        values |= signed_as(signing_values(given, values, section), values.get("preset"))
    except ConfigurationError as error:
        if section == COMMON or section.key in str(error):
            raise
        place = f"catalog {section.name}" if "preset" in given else f"[{section.key}]"
        refused = ConfigurationError(f"{place}: {error}")
    else:
        return values, places
    raise refused  # here, so that it has no context, which would show what was given


def _standing(section: Section) -> set[str]:
    """The names that stand in a section, without those in the tables below it."""
    tables = (f"{CREDENTIALS}__", f"{CATALOGS}__") if section == COMMON else (f"{CREDENTIALS}__",)
    return {name for name in names_in(section.key) if not name.startswith(tables)}


def _checked(values: Mapping[str, Any], section: Section, places: Mapping[str, str]) -> Settings:
    """The settings of these values; an error names the section that it is about."""
    given = {name: value for name, value in values.items() if value not in NOTHING}
    if section == COMMON:
        return Settings(**given)
    try:
        return Settings(**given, section=section)
    except ConfigurationError as error:
        refused = ConfigurationError(f"{_place(given, places, section)}: {error}")
    raise refused  # here, so that it has no context, which would show what was given


def _place(values: Mapping[str, Any], places: Mapping[str, str], section: Section) -> str:
    """Where the first value stands that is of no use by itself; else the section of the catalog."""
    for name, value in values.items():
        try:
            read_alone(SETTINGS[name], value)
        except ConfigurationError:
            return places.get(name, f"catalog {section.name}")
    return f"[{section.key}]"


def _of_dlt(given: Mapping[str, Any], section: Section) -> dict[str, Any]:
    """The settings that are dlt's own; some stand in a section of the destination.

    What a catalog with a name has of them in its own section was read with that.
    """
    keys = {name: setting.dlt_key.key for name, setting in SETTINGS.items() if setting.dlt_key}
    default = SETTINGS["destination"].default
    destination = given.get("destination") or configured(keys["destination"]) or default
    own = own_names(section)
    asked = {name: key for name, key in keys.items() if name not in given and name not in own}
    found = {name: configured(key.format(destination)) for name, key in asked.items()}
    return {**found, "destination": destination}


def _refuse_in_a_section(names: Iterable[str], section: Section) -> None:
    for name in sorted(names):
        setting = SETTINGS.get(name)
        if setting is not None and setting.dlt_key is not None and name not in own_names(section):
            place = setting.dlt_key.key.rpartition(".")[0].format("<destination>")
            raise ConfigurationError(
                f"{name!r} stands in [{section.key}]; it is one for all catalogs, under [{place}]"
            )
    _refuse_unknown(names, f"[{section.key}] or {section.env_prefix}…", own_names(section))


def _refuse_nowhere(values: Mapping[str, Any], section: Section) -> None:
    """Refuse a catalog whose API nothing names: the common section's, or the default, would be a surprise."""
    if values.get("base_url") in NOTHING:
        raise ConfigurationError(
            f"the catalog {section.name} has neither a base_url nor a preset, and takes none from "
            f"[{COMMON.key}]: set {section.where('base_url', '.dlt/config.toml')}, or `preset` there"
        )


def _refuse_unknown(names: Iterable[str], where: str, known: Iterable[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise unknown_setting(unknown[0], where, known)
