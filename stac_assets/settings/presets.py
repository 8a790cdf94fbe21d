"""Presets: what is known of public APIs, as data. Each is a file of settings in `stac_assets/presets/`.

A preset says where an API is and how it likes to be asked. It holds no secret, and nothing that decides what
is loaded or how it is proven. Every setting that is given anywhere comes before its lines.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from stac_assets.settings.declaration import unusable

_SUFFIX = ".toml"
_PLACE = "{provider}"
_PROVIDER = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Preset:
    """A preset as it stands in its file.

    Args:
        name: that of the file.
        settings: the values by the settings' names; `base_url` may have a place for a provider.
        text: the file, whose comments say what is particular, and since when that is known.
    """

    name: str
    settings: Mapping[str, Any]
    text: str

    @property
    def takes_provider(self) -> bool:
        """Whether it stands for several APIs of one host, of which a user names one."""
        return _PLACE in self.settings["base_url"]

    @property
    def usage(self) -> str:
        """How it is written as the value of the setting `preset`."""
        return f"{self.name}/PROVIDER" if self.takes_provider else self.name


@lru_cache(maxsize=1)
def presets() -> Mapping[str, Preset]:
    """All presets by name, in the order of the alphabet."""
    every = (files("stac_assets") / "presets").iterdir()
    found = {file.name.removesuffix(_SUFFIX): file for file in every if file.name.endswith(_SUFFIX)}
    texts = {name: found[name].read_text(encoding="utf-8") for name in sorted(found)}
    return {name: Preset(name, tomllib.loads(text), text) for name, text in texts.items()}


def read_preset(name: str) -> Mapping[str, Any]:
    """The settings of a preset by name, with values as TOML has them.

    Args:
        name: of the preset, such as `cdse`; of one for several providers with that of one of them, such as
            `cmr/LPCLOUD`.

    Raises:
        ConfigurationError: there is no such preset, or it takes a provider and has none, or the other way.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise unusable("preset", name, "text")
    given, (name, slash, provider) = name, name.partition("/")
    preset = presets().get(name)
    if preset is None:
        known = ", ".join(each.usage for each in presets().values())
        raise unusable("preset", given, f"one of {known}")
    if not preset.takes_provider:
        if slash:
            raise unusable("preset", given, f"{name!r}, which is one API")
        return dict(preset.settings)
    if not _PROVIDER.fullmatch(provider):
        hub = preset.settings["base_url"].removesuffix(_PLACE)
        raise unusable(
            "preset", given, f"'{name}/PROVIDER', because each provider of {hub} is an API of its own"
        )
    return {**preset.settings, "base_url": preset.settings["base_url"].replace(_PLACE, provider)}
