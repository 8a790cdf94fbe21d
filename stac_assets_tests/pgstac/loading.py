"""Loads of a whole catalog as a user asks for them, and their proof."""

from pathlib import Path
from typing import Any

from stac_assets import load
from stac_assets.pipeline.load_result import LoadResult
from stac_assets_tests.loads import IMPATIENT, items
from stac_assets_tests.many_years import END, START
from stac_assets_tests.pgstac.servers import Server, crawl, owners
from stac_assets_tests.reading import rows

WHOLE: dict[str, Any] = {"granularity": "yearly", "start_date": START, "end_date": END}


def configure(project: Path, server: Server) -> None:
    """Write the settings of whoever wants all of an API into the project's configuration."""
    settings = {"base_url": server.url, "collections": "*", **WHOLE}
    lines = [f'{name} = "{value}"' for name, value in settings.items()]
    file = project / ".dlt" / "config.toml"
    _, _, rest = file.read_text().partition("[pipeline]")
    file.write_text("\n".join(["[sources.pystac_client_source]", *lines, "", "[pipeline]"]) + rest)


def load_all(server: Server, **settings: Any) -> LoadResult:
    """Load all collections, all years, each year a partition."""
    return _load(server, "*", START, END, **settings)


def load_years(server: Server, collection: str, first: str, last: str | None = None) -> LoadResult:
    """Load some years of a collection, both included."""
    return _load(server, [collection], f"{first}-01-01", f"{last or first}-12-31")


def _load(server: Server, collections: Any, start: str, end: str, **settings: Any) -> LoadResult:
    chosen = {**IMPATIENT, "granularity": "yearly", **settings}
    return load("search", collections=collections, start=start, end=end, base_url=server.url, **chosen)


def check_exact(server: Server) -> None:
    """Assert that the table holds every item of a crawl, whole, once, in the partition of its day."""
    truth = crawl(server)
    stored = items()
    assert sorted(truth.keys() - stored.keys()) == [], "items of the API are not stored"
    assert sorted(stored.keys() - truth.keys()) == [], "items are stored that the API does not have"
    differing = [key for key, document in truth.items() if stored[key] != document]
    assert differing == [], "items are stored otherwise than the API gives them"
    wanted = owners(truth)
    places = {(row["collection"], row["id"]): row["_partition_key"] for row in rows()}
    assert {key: place for key, place in places.items() if place != wanted[key]} == {}
