"""Every setting, declared once: its name, type, bounds, default, and a sentence that says what it means.

The command line, the arguments of `pystac_client_source`, and the table in `docs/configuration.md`
come from it.
"""

import json
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, model_validator

from stac_assets.settings import values as v
from stac_assets.settings.declaration import DltKey, Mark, declared
from stac_assets.settings.machine import pace_folder
from stac_assets.settings.section import COMMON, Section
from stac_assets.settings.validation import refusal
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.identity import Identity
from stac_assets.stac.http.options import ApiOptions, RequestModifier
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.windows import Granularity, Window, windows

EARTH_SEARCH = "https://earth-search.aws.element84.com/v1"
DATASET_NAME = "pystac_client_data"
STAC_BROWSER = "https://radiantearth.github.io/stac-browser/#/external/"


class Settings(BaseModel):
    """What to load, from where, into what: one immutable value, whose repr shows no secret.

    Raises:
        ConfigurationError: a setting does not exist, has a value that cannot be used, or contradicts another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    base_url: Annotated[v.BaseUrl, Mark.OF_ONE_CATALOG] = Field(
        default=EARTH_SEARCH, description="URL of the API's landing page."
    )
    preset: Annotated[v.PresetName | None, Mark.OF_ONE_CATALOG] = Field(
        default=None,
        description="Name of what is known of a public API, such as `cdse`; any setting comes before it.",
    )
    api_key: Annotated[v.SecretText | None, Mark.SECRET, Mark.OF_ONE_CATALOG] = Field(
        default=None,
        repr=False,
        description="Bearer token, sent to the origins of `base_url` and `trusted_origins` only.",
    )
    headers: Annotated[v.Headers, Mark.SECRET, Mark.OF_ONE_CATALOG] = Field(
        default={}, repr=False, description="Headers sent to the same origins as the token, by name."
    )
    credentials: Annotated[InstanceOf[Identity], Mark.SECRET, Mark.OF_ONE_CATALOG] = Field(
        default=Identity(),
        repr=False,
        description="What signs requests beside or instead of a bearer token, in a table of its own.",
    )
    trusted_origins: Annotated[v.Names, Mark.OF_ONE_CATALOG] = Field(
        default=(), description="Other origins that may see the credentials and the headers."
    )
    request_modifier: Annotated[RequestModifier | None, Mark.ARGUMENT] = Field(
        default=None,
        repr=False,
        description="Function that gets each `requests.Request` before it is sent, and may change it.",
    )
    collections: Annotated[v.Collections, Mark.OF_ONE_CATALOG] = Field(
        default=("sentinel-2-l2a",),
        description="Ids of the collections to load, or `*` for all that the API lists.",
    )
    start_date: v.Day = Field(default=date(2024, 1, 1), description="First UTC day to load, as YYYY-MM-DD.")
    end_date: v.Day | None = Field(
        default=None, description="Last UTC day to load, included, as YYYY-MM-DD; without one up to today."
    )
    granularity: Granularity = Field(
        default=Granularity.DAILY,
        description="Days that a partition spans; weeks begin on Monday, and a first day inside a week, "
        "month or year begins that one.",
    )
    bbox: v.Bbox | None = Field(
        default=None,
        description="Box that narrows `search` and `collection_items`: west, south, east, north in degrees; "
        "west may be above east.",
    )
    intersects: v.Structure | None = Field(
        default=None, description="GeoJSON geometry that narrows `search`."
    )
    query: v.Structure | None = Field(
        default=None,
        description="Conditions on properties that narrow `search`, of an API with the query extension.",
    )
    filter: v.Filter | None = Field(
        default=None,
        description="CQL2, as text or as a table of its JSON, that narrows `search`, of an API with the "
        "filter extension.",
    )
    max_items: v.Count | None = Field(
        default=None,
        description="Items loaded of each partition at most: a sample, marked as incomplete, and refused "
        "where rows exist.",
    )
    item_limit: Annotated[v.Count, Mark.IN_LOADS] = Field(
        default=100, description="Items that `item` refreshes of a partition at most."
    )
    item_assets: Annotated[v.ItemAssets, Mark.IN_LOADS] = Field(
        default=("search",),
        description="Which of the tables `search`, `collection_items` and `item` jobs, schedules and sensors "
        "load, and `check` asks for.",
    )
    promote_properties: v.Properties = Field(
        default="all",
        description="Properties that get typed columns of their own: `all`, `none`, names, or patterns "
        "such as `eo:*`.",
    )
    geometry: Annotated[Literal["native", "none"], Mark.IN_LOADS] = Field(
        default="native",
        description="Whether item tables get the column `geom`, a geometry of the destination's own type, or "
        "where it is a view, `<table>_geo`: `native` or `none`.",
    )
    item_changes: Annotated[bool, Mark.IN_LOADS] = Field(
        default=True,
        description="Whether loads of `search` and `collection_items` tell in the table `item_changes` which "
        "items were added, changed and removed.",
    )
    item_changes_days: Annotated[v.SomeDays | None, Mark.IN_LOADS] = Field(
        default=None,
        description="Days for which changes are kept; of older ones remains which items were there; without "
        "it all are kept.",
    )
    largest_whole_collection: v.Amount = Field(
        default=100_000,
        description="Items of a collection that is read whole at most, where dates do not find all of them; "
        "0 trusts dates, and asks nothing about them.",
    )
    confirm_shrunk: bool = Field(
        default=True,
        description="Whether a partition of 50 rows or more is asked for once more where less than a tenth "
        "comes back.",
    )
    page_size: v.PageSize = Field(default=200, description="Items asked for per page.")
    search_method: Literal["auto", "GET"] = Field(
        default="auto",
        description="How `search` is asked: `auto` by POST, where the API does not refuse it, or `GET`.",
    )
    counts: Literal["auto", "never"] = Field(
        default="auto",
        description="Whether the API is asked for counts beside those that come with pages: `auto` until one "
        "takes long, or `never`.",
    )
    max_concurrent_requests: v.Count = Field(
        default=4,
        description="Requests under way at once; one that was given up at `read_timeout` no longer counts, "
        "though the API may still work on it.",
    )
    requests_per_second: v.Rate | None = Field(
        default=None,
        description="Requests that this machine sends to the API's host in a second at most.",
    )
    connect_timeout: v.Duration = Field(default=5.0, description="Seconds to wait for a connection.")
    read_timeout: v.Duration = Field(
        default=60.0, description="Seconds to wait for the next bytes of an answer."
    )
    request_timeout: v.Duration = Field(default=300.0, description="Seconds to wait for a whole answer.")
    max_retries: v.Amount = Field(
        default=6, description="Attempts after the first, for a fault that may pass."
    )
    backoff: v.Duration = Field(
        default=0.5,
        description="Seconds before the first of these attempts; each further one waits twice as long.",
    )
    max_backoff: v.Duration = Field(default=60.0, description="Seconds between two attempts at most.")
    max_retry_after: v.Duration = Field(
        default=300.0, description="Seconds that an API may ask to be left alone at most (`Retry-After`)."
    )
    max_response_bytes: v.Count = Field(
        default=512 * 1024 * 1024, description="Bytes of an answer at most, decompressed."
    )
    max_partitions_per_run: Annotated[v.Count, Mark.IN_DAGSTER] = Field(
        default=366, description="Partitions that a run of a backfill loads at most."
    )
    items_cron: Annotated[str, Mark.IN_DAGSTER] = Field(
        default="0 6 * * *", description="When `items_schedule` runs, as a cron expression in UTC."
    )
    catalog_cron: Annotated[str, Mark.IN_DAGSTER] = Field(
        default="0 5 * * *", description="When `catalog_schedule` runs, as a cron expression in UTC."
    )
    rescan_days: Annotated[v.Days, Mark.IN_DAGSTER] = Field(
        default=7, description="Days before the latest closed partition that `items_schedule` loads again."
    )
    watch_days: Annotated[v.SomeDays, Mark.IN_DAGSTER] = Field(
        default=30,
        description="Latest days that `new_items_sensor` watches where the API cannot say what changed.",
    )
    sensor_seconds: Annotated[v.Count, Mark.IN_DAGSTER] = Field(
        default=300, description="Seconds between two ticks of a sensor."
    )
    freshness_hours: Annotated[v.Duration | None, Mark.IN_DAGSTER] = Field(
        default=None, description="Hours after which an item table that was not loaded is overdue."
    )
    executor: Annotated[str, Mark.IN_DAGSTER] = Field(
        default="in_process",
        description="Where the steps of a run take place: `in_process`, `multiprocess`, or `module:name` "
        "such as `dagster_k8s:k8s_job_executor`.",
    )
    stac_browser: Annotated[str, Mark.IN_DAGSTER] = Field(
        default=STAC_BROWSER, description="What stands before a document's URL in links for people."
    )
    geoparquet_url: Annotated[str | None, Mark.IN_DAGSTER, Mark.OF_ONE_CATALOG] = Field(
        default=None,
        description="Folder or bucket of the asset `stac_geoparquet`, such as `s3://bucket/items`; without "
        "one there is no such asset.",
    )
    lock_timeout: Annotated[v.Patience, Mark.IN_LOADS] = Field(
        default=600.0, description="Seconds to wait for others that store into the same dataset."
    )
    table_format: Annotated[Literal["delta", "parquet"], Mark.IN_LOADS] = Field(
        default="delta",
        description="How the destination `filesystem` stores tables: as Delta, or as Parquet in folders.",
    )
    destination: Annotated[str, DltKey("pipeline.destination", is_argument=True)] = Field(
        default="duckdb", description="dlt's name of the destination, such as `duckdb` or `postgres`."
    )
    dataset_name: Annotated[str, DltKey("pipeline.dataset_name", is_argument=True)] = Field(
        default=DATASET_NAME,
        description="Dataset in the destination that holds the tables; it mirrors one API.",
    )
    destination_name: Annotated[str | None, DltKey("destination.{}.destination_name")] = Field(
        default=None, description="Name of the destination, after which the DuckDB file is named."
    )
    pipelines_dir: Annotated[str | None, DltKey("pipelines.pipelines_dir")] = Field(
        default=None, description="Folder of dlt's state of the last load; without one dlt's own."
    )
    has_credentials: Annotated[v.IsThere, DltKey("destination.{}.credentials"), Mark.FOUND] = Field(
        default=False, description="Whether the destination has credentials of its own."
    )
    withheld: Annotated[str, Mark.FOUND] = Field(
        default="", repr=False, description="Why stored credentials are not sent to `base_url`."
    )
    section: Annotated[InstanceOf[Section], Mark.FOUND] = Field(
        default=COMMON, repr=False, description="Where the settings stand, for error messages."
    )

    pace_folder = staticmethod(pace_folder)

    if not TYPE_CHECKING:  # for type checkers the arguments are the fields

        def __init__(self, **given: Any) -> None:
            try:
                super().__init__(**given)
                return
            except ValidationError as error:
                refused = refusal(error, SETTINGS)
            raise refused  # here, so that it has no context, which would show what was given

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        _ = self.api  # which refuses credentials that contradict each other
        if self.end_date is not None and self.end_date < self.start_date:
            raise ConfigurationError(
                f"end_date {self.end_date} is before start_date {self.start_date}; both days are included"
            )
        if self.bbox is not None and self.intersects is not None:
            raise ConfigurationError("bbox and intersects cannot be given together (STAC API - Item Search)")
        return self

    def with_(self, **changes: Any) -> "Settings":
        """The same settings with other values for some.

        Raises:
            ConfigurationError: as for new settings.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return Settings(**(given | changes))

    @property
    def api(self) -> ApiOptions:
        """The part that talks to the API."""
        return ApiOptions(**{option.name: getattr(self, option.name) for option in fields(ApiOptions)})

    def where(self, setting: str) -> str:
        """Where a user sets a setting of this section, for an error message."""
        is_secret = SETTINGS[setting].is_secret
        return self.section.where(setting, ".dlt/secrets.toml" if is_secret else ".dlt/config.toml")

    @property
    def narrowing(self) -> Narrowing:
        """What narrows `search`."""
        return Narrowing(self.bbox, self.intersects, self.query, self.filter)

    @property
    def all_collections(self) -> bool:
        """Whether the partitions follow the API's own list of collections."""
        return self.collections == v.ALL_COLLECTIONS

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
        given = {name: value for name, value in vars(self.narrowing).items() if value is not None}
        return json.dumps(given, sort_keys=True) if given else None


SETTINGS = declared(Settings.model_fields)
"""What is declared of each setting, by name."""
