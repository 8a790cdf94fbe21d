"""The settings as attributes of a component: each with a type that YAML can write, and its sentence."""

from collections.abc import Iterator
from datetime import date
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import dagster as dg
from pydantic import Field, create_model

from stac_assets.settings.declaration import Mark, Setting
from stac_assets.settings.model import SETTINGS


def attributes_model() -> type[dg.Model]:
    """A model with a field for each setting that a catalog may have; one that is not given is None."""
    fields: dict[str, Any] = {
        name: (
            Annotated[_written_type(setting) | None, dg.Resolver.default(description=_described(setting))],
            Field(default=None, repr=not setting.is_secret),
        )
        for name, setting in ATTRIBUTES.items()
    }
    return create_model("SettingsAsAttributes", __base__=dg.Model, **fields)


def _is_attribute(setting: Setting) -> bool:
    """Whether it can be written in YAML, and a catalog may have its own: the destination is one for all."""
    return setting.is_argument and Mark.ARGUMENT not in setting.marks and setting.name != "destination"


def _described(setting: Setting) -> str:
    """Its sentence, with what it may be and what it is where it is not given."""
    choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
    bounds = f" A number, {setting.bounds}." if setting.bounds else ""
    default = f" Default: {setting.default}." if setting.default else ""
    return f"{setting.sentence}{choices}{bounds}{default}"


def _written_type(setting: Setting) -> Any:
    """The type of a setting as YAML writes it; the settings' own model reads it further."""
    kinds = set(_kinds(setting.field.annotation))
    if tuple in kinds:
        return list[Any] | str
    for kind in (bool, int, float, str):
        if kind in kinds:
            return kind
    return dict[str, Any] | list[Any]


def _kinds(annotation: Any) -> Iterator[type]:
    """The plain types of an annotation."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _kinds(inner[0])
    elif origin in (Union, UnionType):
        for each in inner:
            yield from _kinds(each)
    elif origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum | date)):
        yield str
    elif isinstance(origin or annotation, type):
        yield origin or annotation


ATTRIBUTES = {name: setting for name, setting in SETTINGS.items() if _is_attribute(setting)}
"""The settings that a catalog may have as attributes of a component."""
