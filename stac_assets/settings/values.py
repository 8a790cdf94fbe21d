"""How the values of settings are read. Environment variables come as text, so each type takes text too.

Numbers, choices and plain text are read by pydantic itself; what follows is what it cannot know.
"""

import ast
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from math import isfinite
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import BeforeValidator, ValidationInfo

from stac_assets.settings.declaration import unusable
from stac_assets.settings.presets import read_preset
from stac_assets.stac.boxes import within_longitudes
from stac_assets.stac.endpoints import ITEM_ENDPOINTS
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.links import checked_base_url
from stac_assets.stac.windows import parse_day

ALL_COLLECTIONS = "*"
LARGEST_PAGE = 10_000
"""The most items of a page that STAC allows to ask for (STAC API - Item Search, `limit`)."""
MOST_DAYS = 36_525
"""A century."""
LONGEST = 10_000_000.0
"""Seconds or hours that nobody waits for; a thread cannot wait for much more."""
ITEM_ASSETS = tuple(endpoint.name for endpoint in ITEM_ENDPOINTS)

Reader = Callable[[Any, ValidationInfo], Any]


def _unusable(info: ValidationInfo, value: Any, expected: str) -> ConfigurationError:
    return unusable(str(info.field_name), value, expected)


def _text(value: Any, info: ValidationInfo) -> str:
    if not isinstance(value, str):
        raise _unusable(info, value, "text")
    return value


def _secret(value: Any, info: ValidationInfo) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{info.field_name} must be text (its value is not shown)")
    return without_line_end(value)


def without_line_end(secret: str) -> str:
    """A secret without the end of its line, which it has where it is mounted as a file."""
    return secret.strip("\r\n")


def _base_url(value: Any, info: ValidationInfo) -> str:
    return checked_base_url(_text(value, info))


def _preset(value: Any, info: ValidationInfo) -> str:
    read_preset(_text(value, info))  # which refuses an unknown one
    return value


def _no_truth(value: Any) -> Any:
    """Keep pydantic from reading True as 1."""
    if isinstance(value, bool):
        raise ValueError
    return value


def _structure(value: Any, info: ValidationInfo) -> Any:
    """A list or table; as text it is JSON (or a Python literal, as dlt reads it)."""
    if isinstance(value, str):
        for parse in (json.loads, ast.literal_eval):
            try:
                return parse(value)
            except (ValueError, SyntaxError):
                continue
        raise _unusable(info, value, "JSON")
    return value.unwrap() if hasattr(value, "unwrap") else value


def _filter(value: Any, info: ValidationInfo) -> Any:
    """CQL2: JSON, or cql2-text as it is."""
    is_text = isinstance(value, str) and not value.lstrip().startswith("{")
    return value if is_text else _structure(value, info)


def _names(value: Any, info: ValidationInfo) -> tuple[str, ...]:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        value = [part.strip() for part in value.split(",") if part.strip()]
    value = _structure(value, info)
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        value = list(value)
    if not isinstance(value, list) or not value or not all(isinstance(x, str) and x for x in value):
        raise _unusable(info, value, 'a list of one or more names, such as ["sentinel-2-l2a"]')
    return tuple(dict.fromkeys(value))


def _names_or(*words: str) -> Reader:
    return lambda value, info: value if value in words else _names(value, info)


def _collections(value: Any, info: ValidationInfo) -> tuple[str, ...] | str:
    found = _names_or(ALL_COLLECTIONS)(value, info)
    if found == (ALL_COLLECTIONS,):
        return ALL_COLLECTIONS
    if ALL_COLLECTIONS in found and found != ALL_COLLECTIONS:
        raise _unusable(info, list(found), f'ids, or "{ALL_COLLECTIONS}" alone for all that the API lists')
    odd = [c for c in found if "|" in c] if isinstance(found, tuple) else []
    if odd:
        raise _unusable(info, odd[0], "ids without '|', which joins the parts of a partition key")
    return found


def _item_assets(value: Any, info: ValidationInfo) -> tuple[str, ...]:
    found = _names(value, info)
    if set(found) - set(ITEM_ASSETS):
        raise _unusable(info, list(found), f"some of {', '.join(ITEM_ASSETS)}")
    return found


def _day(value: Any, info: ValidationInfo) -> date:
    day = parse_day(value, str(info.field_name))
    if not date(1, 1, 8) <= day <= date(9998, 1, 1):
        raise _unusable(info, value, "a year from 2 to 9997")
    return day


def _bbox(value: Any, info: ValidationInfo) -> tuple[float, ...]:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        value = f"[{value}]"
    value = _structure(value, info)
    is_box = isinstance(value, list | tuple) and len(value) in (4, 6)
    if not is_box or not all(type(number) in (int, float) and isfinite(number) for number in value):
        raise _unusable(
            info,
            value,
            "4 numbers: west, south, east, north; or 6: west, south, lowest, east, north, highest",
        )
    middle = len(value) // 2
    west, south, *lowest = value[:middle]
    east, north, *highest = value[middle:]
    if not -90 <= south <= north <= 90:
        raise _unusable(info, value, "west, south, east, north, with -90 <= south <= north <= 90")
    if max(abs(west), abs(east)) > 360:
        raise _unusable(info, value, "longitudes from -180 to 180, or up to 360 beyond the antimeridian")
    if lowest > highest:
        raise _unusable(info, value, "6 numbers of which the sixth, a height, is not below the third")
    return within_longitudes(tuple(value))


def _headers(value: Any, info: ValidationInfo) -> dict[str, str]:
    try:
        value = _structure(value, info)
    except ConfigurationError:
        value = None
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{info.field_name} must be a table of header names and values (they are not shown)"
        )
    return {str(key): str(item) for key, item in value.items()}


BaseUrl = Annotated[str, BeforeValidator(_base_url)]
PresetName = Annotated[str, BeforeValidator(_preset)]
SecretText = Annotated[str, BeforeValidator(_secret)]
Headers = Annotated[Mapping[str, str], BeforeValidator(_headers)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Collections = Annotated[tuple[str, ...] | Literal["*"], BeforeValidator(_collections)]
ItemAssets = Annotated[tuple[str, ...], BeforeValidator(_item_assets)]
Properties = Annotated[tuple[str, ...] | Literal["all", "none"], BeforeValidator(_names_or("all", "none"))]
Day = Annotated[date, BeforeValidator(_day)]
Bbox = Annotated[tuple[int | float, ...], BeforeValidator(_bbox)]
Structure = Annotated[Any, BeforeValidator(_structure)]
Filter = Annotated[Any, BeforeValidator(_filter)]
Amount = Annotated[int, Ge(0), BeforeValidator(_no_truth)]
Count = Annotated[int, Ge(1), BeforeValidator(_no_truth)]
PageSize = Annotated[int, Ge(1), Le(LARGEST_PAGE), BeforeValidator(_no_truth)]
Days = Annotated[int, Ge(0), Le(MOST_DAYS), BeforeValidator(_no_truth)]
SomeDays = Annotated[int, Ge(1), Le(MOST_DAYS), BeforeValidator(_no_truth)]
Rate = Annotated[float, Ge(0.0001), Le(1_000_000), BeforeValidator(_no_truth)]
Duration = Annotated[float, Ge(0.001), Le(LONGEST), BeforeValidator(_no_truth)]
Patience = Annotated[float, Ge(0), Le(LONGEST), BeforeValidator(_no_truth)]
IsThere = Annotated[bool, BeforeValidator(lambda value: value is not None and value is not False)]
