"""What others do with the same search: the whole of one collection, with pages as large as ours."""

import asyncio
from typing import Any

from benchmarks.clock import Clock
from benchmarks.sizes import PAGE_SIZE


def rustac(clock: Clock, *, url: str, collection: str, items: int) -> dict[str, Any]:
    """`rustac.search_to` a GeoParquet file."""
    import rustac

    async def search(file: str, limit: int, max_items: int | None = None) -> None:
        await rustac.search_to(file, url, collections=[collection], limit=limit, max_items=max_items)

    asyncio.run(search("warm-up.parquet", 5, max_items=5))
    with clock:
        asyncio.run(search("items.parquet", PAGE_SIZE))
    _check_parquet(items)
    return {}


def stac_geoparquet(clock: Clock, *, url: str, collection: str, items: int) -> dict[str, Any]:
    """pystac-client's dictionaries through stac-geoparquet to a GeoParquet file."""
    from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet  # pyright: ignore[reportMissingImports] - of the extra `bench`

    few, whole = _pystac_search(url, collection, max_items=5), _pystac_search(url, collection)
    to_parquet(parse_stac_items_to_arrow(few.items_as_dicts()), "warm-up.parquet")
    with clock:
        to_parquet(parse_stac_items_to_arrow(whole.items_as_dicts()), "items.parquet")
    _check_parquet(items)
    return {}


def pystac_client(clock: Clock, *, url: str, collection: str, items: int) -> dict[str, Any]:
    """pystac-client's dictionaries, each looked at and forgotten."""
    search = _pystac_search(url, collection)
    with clock:
        ids = [item["id"] for item in search.items_as_dicts()]
    assert len(ids) == len(set(ids)) == items, f"{len(ids)} items, expected {items}"
    return {}


def requests(clock: Clock, *, url: str, collection: str, items: int) -> dict[str, Any]:
    """The bytes of every page, with `requests`; nothing is decoded."""
    from requests import Session

    session = Session()
    count = 0
    with clock:
        while count < items:
            asked = {"collections": [collection], "limit": PAGE_SIZE, "token": str(count)}
            page = session.post(f"{url}/search", json=asked).content
            found = page.count(b'"type":"Feature"')
            assert found, f"no item after {count}"
            count += found
    assert count == items, f"{count} items, expected {items}"
    return {}


def generated_dlt(clock: Clock, *, url: str, collection: str, items: int) -> dict[str, Any]:
    """The pipeline that dlt's generators write: the REST source, nested tables and all.

    It follows no `next` link of a POST, so all items must be on one page.
    """
    import dlt
    import duckdb
    from dlt.sources.rest_api import rest_api_source

    endpoint: Any = {
        "path": "search",
        "method": "POST",
        "json": {"collections": [collection], "limit": items},
        "data_selector": "features",
    }
    with clock:
        source = rest_api_source(
            {"client": {"base_url": url}, "resources": [{"name": "search", "endpoint": endpoint}]}
        )
        destination = dlt.destinations.duckdb("generated.duckdb")
        pipeline = dlt.pipeline("generated", destination=destination, dataset_name="rest")
        pipeline.run(source).raise_on_failed_jobs()
    with duckdb.connect("generated.duckdb", read_only=True) as connection:
        counts = connection.execute("SELECT count(*), count(DISTINCT id) FROM rest.search").fetchone()
        tables = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'rest'"
        ).fetchone()
    assert counts == (items, items), f"{counts} rows and ids, expected {items}"
    return {"tables": tables[0] if tables else 0}


def _pystac_search(url: str, collection: str, max_items: int | None = None) -> Any:
    from pystac_client import Client

    return Client.open(url).search(collections=[collection], limit=PAGE_SIZE, max_items=max_items)


def _check_parquet(items: int) -> None:
    import pyarrow.parquet as pq

    ids = pq.read_table("items.parquet", columns=["id"]).column("id")
    assert len(ids) == len(ids.unique()) == items, f"{len(ids)} items, expected {items}"
