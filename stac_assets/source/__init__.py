"""The dlt source of a STAC API: nine resources, one per endpoint."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import dlt
from dlt.extract import DltSource

from stac_assets.settings import read_settings
from stac_assets.settings.credentials import StacCredentials
from stac_assets.settings.named import chosen, makes_a_catalog
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.http.options import RequestModifier
from stac_assets.stac.windows import Granularity

if TYPE_CHECKING:  # what fetches and converts is imported when it is needed, not with the definitions
    from stac_assets.source.delivery import Delivery

__all__ = ["StacCredentials", "build_source", "pystac_client_source"]

SOURCE_NAME = "pystac_client_source"


def pystac_client_source(
    base_url: str | None = None,
    *,
    catalog: str | None = None,
    preset: str | None = None,
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
    largest_whole_collection: int | None = None,
    confirm_shrunk: bool | None = None,
    page_size: int | None = None,
    search_method: Literal["auto", "GET"] | None = None,
    counts: Literal["auto", "never"] | None = None,
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

    Arguments are settings but for `catalog` and `item_ids`: `stac_assets.settings.Settings` says what each
    means, with its unit and its bounds. One that is not given is read from the environment and `.dlt/`, or
    has a default.

    Args:
        base_url: URL of the API's landing page.
        catalog: the name of a configured catalog, whose settings count; it may be left out where there is
            only one.
        preset: name of what is known of a public API, such as `cdse`; `stac-assets presets` lists them.
        credentials: stands for all credentials that are configured, `api_key` included.
        collections: ids, or `"*"` for all that the API lists.
        start_date: first UTC day to load, a date or `YYYY-MM-DD`.
        end_date: last UTC day to load, included; by default today.
        item_ids: ids of the items that the resource `item` loads, looked up in every collection.

    Returns:
        The source; choose with `.with_resources("search", "collections")`.

    Raises:
        ConfigurationError: a setting cannot be used, one that is configured does not exist, or there is no
            such catalog.

    Example:
        >>> import dlt
        >>> from stac_assets import pystac_client_source
        >>> source = pystac_client_source(collections=["sentinel-2-l2a"], end_date="2024-01-02")
        >>> pipeline = dlt.pipeline("my_pipeline", destination="duckdb", dataset_name="stac")
        >>> pipeline.run(source.with_resources("search"))  # doctest: +SKIP
    """
    given = dict(locals())  # the arguments by name: nothing else has a name yet
    ids = tuple(given.pop("item_ids"))
    name = chosen(given.pop("catalog"), is_new=makes_a_catalog(given))
    read = read_settings(name, **given)
    from stac_assets.source.delivery import LateDelivery

    return build_source([LateDelivery(endpoint, read, ids) for endpoint in ENDPOINTS.values()])


def build_source(deliveries: "Iterable[Delivery]") -> DltSource:
    """A source with a resource for each delivery, and for the changes that its load job stores."""
    from stac_assets.source.resources import build_changes, build_resource

    def resources() -> Iterable[Any]:
        for delivery in deliveries:
            yield build_resource(delivery)
            if delivery.stores_changes:
                yield build_changes(delivery)

    return dlt.source(resources, name=SOURCE_NAME, section=SOURCE_NAME)()


def build_source_of_changes(delivery: "Delivery") -> DltSource:
    """A source with the changes of a delivery alone."""
    from stac_assets.source.resources import build_changes

    return dlt.source(lambda: build_changes(delivery), name=SOURCE_NAME, section=SOURCE_NAME)()
