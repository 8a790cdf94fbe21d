"""Which API the settings choose, by its URL or by a preset, and what the preset says of it.

`base_url` and `preset` both name an API. The first place that has one of them chooses: an argument comes
before the environment, and that before files. Where both stand in one place, it is `base_url`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stac_assets.settings.configuration import NOTHING, held, providers
from stac_assets.settings.presets import read_preset
from stac_assets.settings.section import COMMON, CREDENTIALS, Section
from stac_assets.stac.http.identity import Identity

if TYPE_CHECKING:
    from dlt.common.configuration.providers import ConfigProvider

NAMING = ("base_url", "preset")
"""The settings of which a catalog needs one: they say which its API is."""


def chosen_url(given: Mapping[str, Any], among: "Sequence[ConfigProvider]", section: Section = COMMON) -> Any:
    """The URL of the API that is named first, as it is written there; None where none is named.

    Args:
        given: the arguments.
        among: dlt's providers, the first one's values first.
        section: where the settings stand.

    Raises:
        ConfigurationError: there is no such preset.
    """
    places = [given, *({name: held(each, f"{section.key}.{name}") for name in NAMING} for each in among)]
    for place in places:
        if place.get("base_url") not in NOTHING:
            return place["base_url"]
        if place.get("preset") not in NOTHING:
            return read_preset(place["preset"])["base_url"]
    return None


def preset_lines(
    values: Mapping[str, Any], given: Mapping[str, Any], section: Section = COMMON
) -> dict[str, Any]:
    """What a preset adds to the settings: its lines for those without a value, and the URL that is chosen.

    Args:
        values: of the settings, the preset's name among them; None or an empty text is no value.
        given: those of them that are arguments.
        section: where the others stand.

    Raises:
        ConfigurationError: there is no such preset.
    """
    if values.get("preset") in NOTHING:
        return {}
    lines = read_preset(values["preset"])
    added = {name: value for name, value in lines.items() if values.get(name) in NOTHING}
    return added | {"base_url": chosen_url(given, providers(), section)}


def signed_as(signing: Mapping[str, Any], preset: Any) -> dict[str, Any]:
    """What signs requests, with the API key where a preset says that it goes; a user's word comes first.

    Args:
        signing: the values of `api_key`, `headers` and `credentials`.
        preset: the name of the preset; None for none.
    """
    carrier = {} if preset in NOTHING else read_preset(preset).get(CREDENTIALS, {})
    identity = signing[CREDENTIALS]
    if carrier and signing["api_key"] and isinstance(identity, Identity) and not identity.carries_key:
        return {**signing, CREDENTIALS: replace(identity, **carrier)}
    return dict(signing)
