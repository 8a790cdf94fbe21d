"""The layers in which the settings of a catalog stand, the first one's values first.

They are arguments, the catalog's own section, its preset, and, where it has a name, the section of what
catalogs have in common. A section is several places for dlt: environment, `secrets.toml`, `config.toml`, in
this order.
"""

from collections.abc import Mapping
from typing import Any

from stac_assets.settings.chosen_api import preset_lines
from stac_assets.settings.configuration import NOTHING, configured
from stac_assets.settings.model import SETTINGS
from stac_assets.settings.section import COMMON, Section

OURS = tuple(name for name, setting in SETTINGS.items() if setting.is_ours)
_IN_COMMON = tuple(name for name, setting in SETTINGS.items() if setting.is_common)
_OF_A_NAMED_ONE = ("dataset_name",)
"""dlt's own settings that a catalog with a name may have for itself: the destination is one for all."""


def own_names(section: Section) -> tuple[str, ...]:
    """The settings that may stand in the section of a catalog."""
    return OURS if section == COMMON else (*OURS, *_OF_A_NAMED_ONE)


def gathered(section: Section, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The value of each setting of a catalog that counts, and the place where it stands.

    Args:
        section: of the catalog.
        given: the arguments, which have no place.

    Raises:
        ConfigurationError: there is no such preset.
    """
    own = {name: configured(f"{section.key}.{name}") for name in own_names(section) if name not in given}
    values, places = {**own, **given}, dict.fromkeys(own, f"[{section.key}]")
    lines = preset_lines(values, given, section)
    values |= lines
    places |= dict.fromkeys(lines, f"preset {values['preset']!r}")
    if section != COMMON:
        lacking = [name for name in _IN_COMMON if values.get(name) in NOTHING]
        values |= {name: configured(f"{COMMON.key}.{name}") for name in lacking}
        places |= dict.fromkeys(lacking, f"[{COMMON.key}]")
    return values, places


def where_dataset_is_named(section: Section) -> str:
    """Where a user names the dataset of a catalog, for an error message.

    Args:
        section: of the catalog; that of dlt's own setting takes its place where the catalog has no name.
    """
    dlt_key = SETTINGS["dataset_name"].dlt_key
    if section == COMMON and dlt_key is not None:
        section = Section(dlt_key.key.rpartition(".")[0])
    return f"`dataset_name` under [{section.key}] ({section.variable('dataset_name')})"


def common_value(name: str) -> Any:
    """What catalogs have in common of a setting, or else its default, as it is written."""
    return configured(f"{COMMON.key}.{name}") or SETTINGS[name].field.default
