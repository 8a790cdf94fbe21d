"""The dlt source of a STAC API: nine resources, one per endpoint."""

import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
from dlt.extract import DltSource

from stac_assets.settings import Settings, read_settings
from stac_assets.settings.credentials import StacCredentials
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.source.request import Job
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.options import RequestModifier
from stac_assets.stac.windows import Granularity

if TYPE_CHECKING:  # what fetches and converts is imported when it is needed, not with the definitions
    from stac_assets.source.delivery import Handover
    from stac_assets.source.fetch import Fetched
    from stac_assets.source.resources import Obtain, Settled

__all__ = ["StacCredentials", "build_source", "pystac_client_source"]

SOURCE_NAME = "pystac_client_source"


def pystac_client_source(
    base_url: str | None = None,
    *,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: StacCredentials | Mapping[str, str] | None = None,
    trusted_origins: Iterable[str] | None = None,
    request_modifier: RequestModifier | None = None,
    collections: Iterable[str] | str | None = None,
    start_date: date | str | None = None,
    end_date: date | str | None = None,
    granularity: Granularity | str | None = None,
    bbox: Sequence[float] | None = None,
    intersects: Mapping[str, Any] | None = None,
    query: Any = None,
    filter: Mapping[str, Any] | str | None = None,
    max_items: int | None = None,
    promote_properties: Iterable[str] | str | None = None,
    page_size: int | None = None,
    max_concurrent_requests: int | None = None,
    requests_per_second: float | None = None,
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
    request_timeout: float | None = None,
    max_retries: int | None = None,
    backoff: float | None = None,
    max_backoff: float | None = None,
    max_retry_after: float | None = None,
    max_response_bytes: int | None = None,
    item_ids: Iterable[str] = (),
) -> DltSource:
    """A dlt source with one resource, and so one table, per endpoint of a STAC API.

    The arguments but the last are settings: `stac_assets.settings.Settings` says what each means, with its
    unit and its bounds. One that is not given is read from the environment and `.dlt/`, or has a default.

    Args:
        base_url: URL of the API's landing page.
        credentials: stands for all credentials that are configured, `api_key` included.
        collections: ids, or `"*"` for all that the API lists.
        start_date: first UTC day to load, a date or `YYYY-MM-DD`.
        end_date: last UTC day to load, included; by default today.
        item_ids: ids of the items that the resource `item` loads, looked up in every collection.

    Returns:
        The source; choose with `.with_resources("search", "collections")`.

    Raises:
        ConfigurationError: a setting cannot be used, or one that is configured does not exist.

    Example:
        >>> import dlt
        >>> from stac_assets import pystac_client_source
        >>> source = pystac_client_source(collections=["sentinel-2-l2a"], end_date="2024-01-02")
        >>> pipeline = dlt.pipeline("my_pipeline", destination="duckdb", dataset_name="stac")
        >>> pipeline.run(source.with_resources("search"))  # doctest: +SKIP
    """
    given = dict(locals())  # the arguments by name: nothing else has a name yet
    ids = tuple(given.pop("item_ids"))
    read = read_settings(**given)
    from stac_assets.source.fetch import fetch
    from stac_assets.source.ownership import claim_dataset
    from stac_assets.source.resources import refuse_failures
    from stac_assets.source.running import destination_type

    @contextmanager
    def obtain(name: str) -> Iterator["Fetched"]:
        claim_dataset(read.base_url)
        here = read.with_(destination=destination_type())
        with tempfile.TemporaryDirectory(prefix="stac-assets-") as folder:
            yield refuse_failures(fetch(whole_job(name, here, ids), here, Path(folder)))

    return build_source(read, {name: partial(obtain, name) for name in ENDPOINTS})


def build_source(
    settings: Settings,
    obtain: "Mapping[str, Obtain]",
    settled: "Settled | None" = None,
    handover: "Handover | None" = None,
) -> DltSource:
    """A source whose resources get what was fetched from the callables in `obtain`, by name."""

    from stac_assets.source.resources import build_resource

    def resources() -> Iterable[Any]:
        for name, get in obtain.items():
            yield build_resource(name, get, settings.promote_properties, settled, handover)

    return dlt.source(resources, name=SOURCE_NAME, section=SOURCE_NAME)()


def whole_job(name: str, settings: Settings, ids: tuple[str, ...]) -> Job:
    """Everything that the settings say of one endpoint."""
    if name not in (*ITEM_TABLES, "collection"):
        return Job(name, collections=settings.named_collections)
    from stac_assets.stac.api import StacApi

    named = settings.named_collections or tuple(StacApi(settings.api, threading.Event()).collection_ids())
    if name == "collection":
        return Job(name, collections=named)
    windows = tuple(w for collection in named for w in settings.windows(collection))
    if name != "item":
        return Job(name, windows)
    if not ids:
        raise ConfigurationError(
            "the resource `item` loads single items: give item_ids=[...], or leave it out with "
            '.with_resources("search")'
        )
    first = {window.collection: window for window in reversed(windows)}
    return Job(name, tuple(first.values()), item_ids=dict.fromkeys(first.values(), ids))
