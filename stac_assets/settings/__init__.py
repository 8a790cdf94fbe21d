"""Every setting, read once from dlt's configuration into one immutable value.

Precedence: argument or flag, environment, `.dlt/secrets.toml`, `.dlt/config.toml`, default. A setting `x` is
`x` under `[sources.pystac_client_source]`, or the environment variable `SOURCES__PYSTAC_CLIENT_SOURCE__X`.
"""

import difflib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

from stac_assets.settings.configuration import CREDENTIALS, ENV_PREFIX, SECTION, configured, names_in
from stac_assets.settings.credentials import read_credentials
from stac_assets.settings.values import ALL_COLLECTIONS, PARSERS
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.identity import Identity
from stac_assets.stac.http.options import ApiOptions, RequestModifier
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Granularity, Window, windows

DATASET_NAME = "pystac_client_data"
STAC_BROWSER = "https://radiantearth.github.io/stac-browser/#/external/"
EARTH_SEARCH = "https://earth-search.aws.element84.com/v1"

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
    items_cron: str = "0 6 * * *"
    catalog_cron: str = "0 5 * * *"
    rescan_days: int = 7
    watch_days: int = 30
    sensor_seconds: int = 300
    freshness_hours: float | None = None
    executor: str = "in_process"
    stac_browser: str = STAC_BROWSER
    lock_timeout: float = 600.0
    table_format: str = "delta"
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
    for name, parse in PARSERS.items():
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
    for name in sorted(names - set(PARSERS)):
        near = difflib.get_close_matches(name, PARSERS, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(PARSERS)}"
        raise ConfigurationError(f"unknown setting {name!r} in {where}; {advice}")
