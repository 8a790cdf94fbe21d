"""How the value of each setting is read: `(value, name) -> value`. Environment variables come as text."""

import ast
import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.links import checked_base_url
from stac_assets.stac.windows import Granularity, parse_day

ALL_COLLECTIONS = "*"
TABLE_FORMATS = ("delta", "parquet")
ITEM_ASSETS = ("search", "collection_items", "item")

Parser = Callable[[Any, str], Any]


def _bad(name: str, value: Any, expected: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is {value!r}; expected {expected}")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _bad(name, value, "text")
    return value


def _secret(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be text (its value is not shown)")
    return value.strip("\r\n")  # a secret that is mounted as a file ends with its line


def _number(kind: type[int] | type[float], least: float) -> Parser:
    def parse(value: Any, name: str) -> Any:
        try:
            number = kind(value)
        except (TypeError, ValueError):
            number = None
        if number is None or isinstance(value, bool) or not number >= least:
            raise _bad(name, value, f"a number, {least} or more")
        return number

    return parse


def _structure(value: Any, name: str) -> Any:
    """A list or table; as text it is JSON (or a Python literal, as dlt reads it)."""
    if isinstance(value, str):
        for parse in (json.loads, ast.literal_eval):
            try:
                return parse(value)
            except (ValueError, SyntaxError):
                continue
        raise _bad(name, value, "JSON")
    return value.unwrap() if hasattr(value, "unwrap") else value


def _names(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        value = [part.strip() for part in value.split(",") if part.strip()]
    value = _structure(value, name)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(x, str) and x for x in value):
        raise _bad(name, value, 'a list of names, such as ["sentinel-2-l2a"]')
    return tuple(dict.fromkeys(value))


def _names_or(*words: str) -> Parser:
    return lambda value, name: value if value in words else _names(value, name)


def _collections(value: Any, name: str) -> tuple[str, ...] | str:
    found = _names_or(ALL_COLLECTIONS)(value, name)
    odd = [c for c in found if "|" in c] if isinstance(found, tuple) else []
    if odd:
        raise _bad(name, odd[0], "ids without '|', which joins the parts of a partition key")
    return found


def _granularity(value: Any, name: str) -> Granularity:
    try:
        return Granularity(value)
    except ValueError:
        raise _bad(name, value, "one of " + ", ".join(Granularity)) from None


def _day(value: Any, name: str) -> date:
    day = parse_day(value, name)
    if not date(1, 1, 8) <= day <= date(9998, 1, 1):
        raise _bad(name, value, "a year from 2 to 9997")
    return day


def _bbox(value: Any, name: str) -> tuple[float, ...]:
    if isinstance(value, str) and not value.lstrip().startswith("["):
        value = f"[{value}]"
    value = _structure(value, name)
    if (
        not isinstance(value, list | tuple)
        or len(value) not in (4, 6)
        or not all(isinstance(x, int | float) for x in value)
    ):
        raise _bad(name, value, "4 or 6 numbers: west, south, east, north")
    return tuple(value)


def _headers(value: Any, name: str) -> dict[str, str]:
    try:
        value = _structure(value, name)
    except ConfigurationError:
        value = None
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{name} must be a table of header names and values (they are not shown)")
    return {str(key): str(item) for key, item in value.items()}


def _filter(value: Any, name: str) -> Any:
    """CQL2: JSON, or cql2-text as it is."""
    return _structure(value, name) if not isinstance(value, str) or value.lstrip().startswith("{") else value


def _item_assets(value: Any, name: str) -> tuple[str, ...]:
    found = _names(value, name)
    if set(found) - set(ITEM_ASSETS):
        raise _bad(name, list(found), f"some of {', '.join(ITEM_ASSETS)}")
    return found


def _table_format(value: Any, name: str) -> str:
    if value not in TABLE_FORMATS:
        raise _bad(name, value, f"one of {', '.join(TABLE_FORMATS)}")
    return value


_seconds = _number(float, 0.001)

PARSERS: dict[str, Parser] = {
    "base_url": lambda value, name: checked_base_url(_text(value, name)),
    "api_key": _secret,
    "headers": _headers,
    "trusted_origins": _names,
    "request_modifier": lambda value, name: value,
    "collections": _collections,
    "start_date": _day,
    "end_date": _day,
    "granularity": _granularity,
    "bbox": _bbox,
    "intersects": _structure,
    "query": _structure,
    "filter": _filter,
    "max_items": _number(int, 1),
    "item_limit": _number(int, 1),
    "item_assets": _item_assets,
    "promote_properties": _names_or("all", "none"),
    "page_size": _number(int, 1),
    "max_concurrent_requests": _number(int, 1),
    "requests_per_second": _number(float, 0.0001),
    "connect_timeout": _seconds,
    "read_timeout": _seconds,
    "request_timeout": _seconds,
    "max_retries": _number(int, 0),
    "backoff": _seconds,
    "max_backoff": _seconds,
    "max_retry_after": _seconds,
    "max_response_bytes": _number(int, 1),
    "max_partitions_per_run": _number(int, 1),
    "items_cron": _text,
    "catalog_cron": _text,
    "rescan_days": _number(int, 0),
    "watch_days": _number(int, 1),
    "sensor_seconds": _number(int, 1),
    "freshness_hours": _number(float, 0.001),
    "executor": _text,
    "stac_browser": _text,
    "lock_timeout": _number(float, 0),
    "table_format": _table_format,
}
