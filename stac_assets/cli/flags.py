"""Flags that are settings: their types, choices, help and defaults are those that the model declares."""

import argparse
from collections.abc import Callable
from typing import Any

from stac_assets.settings.declaration import Setting
from stac_assets.settings.model import SETTINGS
from stac_assets.settings.validation import read_alone
from stac_assets.stac.errors import ConfigurationError


def add_setting(
    parser: argparse.ArgumentParser, flag: str, name: str, metavar: str | None = None, is_list: bool = False
) -> None:
    """Give `parser` a flag for a setting; the value is in the parsed arguments under the setting's name.

    Args:
        parser: of a command.
        flag: the flag with its dashes.
        name: of the setting.
        metavar: what stands for the value in the help; None where the choices do.
        is_list: whether each flag gives one of the setting's values, and may be repeated.
    """
    setting = SETTINGS[name]
    given: dict[str, Any] = {"action": "append"} if is_list else {"type": _reader(setting)}
    if setting.choices and not is_list:
        given = {"choices": setting.choices}
    parser.add_argument(flag, dest=name, metavar=metavar, help=_help(setting, is_list), **given)


def settings_given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings for which a command has flags, by name; None for a flag that was not given."""
    return {name: value for name, value in vars(arguments).items() if name in SETTINGS}


def _reader(setting: Setting) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return read_alone(setting, text)
        except ConfigurationError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _help(setting: Setting, is_list: bool) -> str:
    sentence = setting.sentence.rstrip(".").replace("`", "'").replace("%", "%%")
    if not sentence[1].isupper():  # which an abbreviation has
        sentence = sentence[0].lower() + sentence[1:]
    again = "; may be repeated" if is_list else ""
    otherwise = f", or else {setting.default}" if setting.default else ""
    return f"{sentence}{again} (default: as configured{otherwise})"
