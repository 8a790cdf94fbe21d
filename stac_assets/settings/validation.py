"""What pydantic refuses, told in our words: its own repeat what they were given, also where it is secret."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError, create_model

from stac_assets.settings.declaration import Setting
from stac_assets.stac.errors import ConfigurationError


def read_alone(setting: Setting, value: Any) -> Any:
    """The value of one setting as the model reads it, such as a date from its text.

    Raises:
        ConfigurationError: it is of no use.
    """
    fields: Any = {setting.name: (setting.field.annotation, setting.field)}
    try:
        return getattr(create_model("Alone", **fields)(**{setting.name: value}), setting.name)
    except ValidationError as error:
        refused = refusal(error, {setting.name: setting})
    raise refused  # here, so that it has no context


def refusal(error: ValidationError, settings: Mapping[str, Setting]) -> ConfigurationError:
    """What pydantic refused first, as our own error without its values."""
    first = error.errors(include_url=False)[0]
    told = first.get("ctx", {}).get("error")
    if isinstance(told, ConfigurationError):
        return ConfigurationError(str(told))
    name = str(first["loc"][0])
    if name not in settings:
        return unknown_setting(name, "Settings", settings)
    return settings[name].refusal(first["input"])


def unknown_setting(name: str, where: str, known: Iterable[str]) -> ConfigurationError:
    """The error for a setting that does not exist, with the nearest one that does.

    Args:
        name: what was given.
        where: the place in which it stands.
        known: the names that may stand there.
    """
    if name == "fields":
        return ConfigurationError("`fields` is refused: rows could not hold the items as the API has them")
    known = tuple(known)
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
    return ConfigurationError(f"unknown setting {name!r} in {where}; {advice}")
