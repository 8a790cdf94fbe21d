"""Every setting, read once from dlt's configuration into one immutable value.

Precedence: argument or flag, environment, `.dlt/secrets.toml`, `.dlt/config.toml`, default. A setting `x` is
`x` under `[sources.pystac_client_source]`, or the environment variable `SOURCES__PYSTAC_CLIENT_SOURCE__X`.
"""

import ast
import difflib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

from stac_assets.configuration import CREDENTIALS, ENV_PREFIX, SECTION, configured, names_in
from stac_assets.credentials import read_credentials
from stac_assets.stac.api import Narrowing
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.identity import Identity
from stac_assets.stac.options import ApiOptions, RequestModifier
from stac_assets.stac.origins import checked_base_url
from stac_assets.stac.windows import Granularity, Window, parse_day, windows

DATASET_NAME = "pystac_client_data"
EARTH_SEARCH = "https://earth-search.aws.element84.com/v1"
ALL_COLLECTIONS = "*"
ITEM_ASSETS = ("search", "collection_items", "item")

logger = logging.getLogger("stac_assets")


@dataclass(frozen=True)
class Settings:
    """What to load, from where, into what. Times are in seconds, sizes in bytes, days in UTC."""

    base_url: str = EARTH_SEARCH
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: Identity = field(default=Identity(), repr=False)
    trusted_origins: tuple[str, ...] = ()
    request_modifier: RequestModifier | None = field(default=None, repr=False)
    collections: tuple[str, ...] | str = ("sentinel-2-l2a",)
    start_date: date = date(2024, 1, 1)
    end_date: date | None = None
    granularity: Granularity = Granularity.DAILY
    bbox: tuple[float, ...] | None = None
    intersects: Any = None
    query: Any = None
    filter: Any = None
    max_items: int | None = None
    item_limit: int = 100
    item_assets: tuple[str, ...] = ("search",)
    promote_properties: tuple[str, ...] | str = "all"
    page_size: int = 200
    max_concurrent_requests: int = 4
    requests_per_second: float | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    request_timeout: float = 300.0
    max_retries: int = 6
    backoff: float = 0.5
    max_backoff: float = 60.0
    max_retry_after: float = 300.0
    max_response_bytes: int = 512 * 1024 * 1024
    max_partitions_per_run: int = 366
    lock_timeout: float = 600.0
    destination: str = "duckdb"
    destination_name: str | None = None
    dataset_name: str = DATASET_NAME
    pipelines_dir: str | None = None
    has_credentials: bool = False

    @property
    def api(self) -> ApiOptions:
        """The part that talks to the API."""
        names = {f.name for f in fields(ApiOptions)}
        return ApiOptions(**{name: getattr(self, name) for name in names})

    @property
    def narrowing(self) -> Narrowing:
        """What narrows `search`."""
        return Narrowing(self.bbox, self.intersects, self.query, self.filter)

    @property
    def all_collections(self) -> bool:
        """Whether the partitions follow the API's own list of collections."""
        return self.collections == ALL_COLLECTIONS

    @property
    def named_collections(self) -> tuple[str, ...]:
        """The configured collections; none where they are all."""
        return () if isinstance(self.collections, str) else self.collections

    def windows(self, collection: str, first: date | None = None, last: date | None = None) -> list[Window]:
        """The windows of `collection` from `first` to `last`, by default the configured range up to today."""
        last = last or self.end_date or datetime.now(UTC).date()
        return windows(collection, first or self.start_date, last, self.granularity)

    def window_at(self, collection: str, start: date) -> Window:
        """The window that begins on `start`."""
        return Window(collection, start, self.granularity.next(start))

    @property
    def recorded_filter(self) -> str | None:
        """The filters as JSON text, as recorded with each materialization; None without one."""
        given = {
            name: value
            for name in ("bbox", "intersects", "query", "filter")
            if (value := getattr(self, name)) is not None
        }
        return json.dumps(given, sort_keys=True) if given else None


def read_settings(*, destination: str | None = None, **overrides: Any) -> Settings:
    """The settings in force, without network.

    Args:
        destination: dlt's name of a destination, before that of `[pipeline]`.
        overrides: settings by name that come before all others; None means not given.

    Raises:
        ConfigurationError: a setting does not exist or has a value that cannot be used.
    """
    _refuse_unknown({name for name, value in overrides.items() if value is not None}, "argument")
    _refuse_unknown(names_in(SECTION), f"[{SECTION}] or {ENV_PREFIX}…")
    values = {}
    for name, parse in _PARSERS.items():
        value = overrides.get(name)
        if value is None:
            value = configured(f"{SECTION}.{name}")
        if value is not None and value != "":
            values[name] = parse(value, name)
    values |= _credentials(overrides, values.get("api_key"))
    values["destination"] = destination or configured("pipeline.destination") or Settings.destination
    values["dataset_name"] = configured("pipeline.dataset_name") or Settings.dataset_name
    values["destination_name"] = configured(f"destination.{values['destination']}.destination_name")
    values["has_credentials"] = configured(f"destination.{values['destination']}.credentials") is not None
    values["pipelines_dir"] = configured("pipelines.pipelines_dir")
    settings = Settings(**values)
    _check(settings)
    if "API_KEY" in os.environ and settings.api_key is None:
        logger.warning(
            "the environment variable API_KEY is set; it may belong to something else and is not sent. "
            "If it is the token of %s, name it %sAPI_KEY",
            settings.base_url,
            ENV_PREFIX,
        )
    return settings


def _credentials(arguments: Mapping[str, Any], api_key: str | None) -> dict[str, Any]:
    """The values of `api_key` and `credentials`; an argument stands for all that is configured."""
    given = arguments.get(CREDENTIALS)
    read = read_credentials(given)
    if arguments.get("api_key") is None and (read.api_key or given is not None):
        if given is None and api_key not in (None, read.api_key):
            raise ConfigurationError(
                f"api_key stands under [{SECTION}] and under [{SECTION}.{CREDENTIALS}]; keep one"
            )
        api_key = read.api_key
    return {"api_key": api_key, CREDENTIALS: read.identity()}


def _check(settings: Settings) -> None:
    _ = settings.api  # which refuses credentials that contradict each other
    if settings.end_date is not None and settings.end_date < settings.start_date:
        raise ConfigurationError(
            f"end_date {settings.end_date} is before start_date {settings.start_date}; both days are included"
        )
    if settings.bbox is not None and settings.intersects is not None:
        raise ConfigurationError("bbox and intersects cannot be given together (STAC API - Item Search)")


def _refuse_unknown(names: set[str], where: str) -> None:
    if "fields" in names:
        raise ConfigurationError("`fields` is refused: rows could not hold the items as the API has them")
    names = {name for name in names if name != CREDENTIALS and not name.startswith(f"{CREDENTIALS}__")}
    for name in sorted(names - set(_PARSERS)):
        near = difflib.get_close_matches(name, _PARSERS, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(_PARSERS)}"
        raise ConfigurationError(f"unknown setting {name!r} in {where}; {advice}")


# Parsers: (value, name) -> value. Environment variables come as text.

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


_seconds = _number(float, 0.001)

_PARSERS: dict[str, Parser] = {
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
    "lock_timeout": _number(float, 0),
}
