"""The names that are made of a catalog's name and URL (DESIGN §2)."""

from pathlib import Path

import dagster as dg
import pytest

from stac_assets.catalog import Catalog, read_catalog
from stac_assets.settings import Settings
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import enter_project

PC = "https://planetarycomputer.microsoft.com/api/stac/v1"


def test_the_names_of_a_catalog_without_one() -> None:
    catalog = Catalog(Settings(base_url="https://stac.example.com:8443/v1/"))
    assert catalog.asset_path("search") == ("search",)
    assert catalog.prefixed("items_job") == "items_job"
    assert catalog.group == "stac_api"
    assert catalog.collection_partitions_name == "collections of https://stac.example.com:8443/v1"
    assert (catalog.dataset_name, catalog.pipeline_name) == ("pystac_client_data", "pystac_client_pipeline")
    assert catalog.pool == "stac-api/stac.example.com"
    assert catalog.section.key == "sources.pystac_client_source"
    assert catalog.section.env_prefix == "SOURCES__PYSTAC_CLIENT_SOURCE__"


def test_the_names_of_a_named_catalog() -> None:
    catalog = Catalog(Settings(base_url=PC), "planetary_computer")
    assert catalog.asset_path("search") == ("planetary_computer", "search")
    assert catalog.prefixed("items_job") == "planetary_computer_items_job"
    assert catalog.group == catalog.dataset_name == catalog.pipeline_name == "planetary_computer"
    assert catalog.collection_partitions_name == "collections of planetary_computer"
    assert catalog.pool == "stac-api/planetarycomputer.microsoft.com"
    section = "sources.pystac_client_source.catalogs.planetary_computer"
    assert catalog.section.key == section
    variable = "SOURCES__PYSTAC_CLIENT_SOURCE__CATALOGS__PLANETARY_COMPUTER__API_KEY"
    assert catalog.section.variable("api_key") == variable
    told = catalog.settings.where("api_key")
    assert f"[{section}] in .dlt/secrets.toml" in told and variable in told


def test_a_dataset_may_be_named_for_one_catalog() -> None:
    assert Catalog(Settings(dataset_name="other"), "east").dataset_name == "other"
    assert Catalog(Settings(dataset_name="other").with_(page_size=5), "east").dataset_name == "other"
    assert Catalog(Settings().with_(page_size=5), "east").dataset_name == "east"
    assert Catalog(Settings(dataset_name="other")).dataset_name == "other"


def test_catalogs_of_one_server_have_partitions_of_their_own_and_one_pool() -> None:
    first, second = (Catalog(Settings(base_url=f"https://h/{path}")) for path in ("a", "b"))
    assert first.collection_partitions_name != second.collection_partitions_name
    assert first.pool == second.pool


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, "expected small letters") for name in ("", "East", "1st", "_a", "a__b", "a-b", "é", "a\n")),
        ("stac", "views over all catalogs"),
        ("pystac_client", r"pystac_client\.duckdb"),
    ],
)
def test_a_name_that_no_catalog_can_have(name: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        Catalog(Settings(), name)
    assert repr(name) in str(caught.value)


def test_the_file_of_duckdb_counts_as_it_is_configured() -> None:
    settings = Settings(destination_name="East")
    with pytest.raises(ConfigurationError, match=r"East\.duckdb"):
        Catalog(settings, "east")
    assert Catalog(settings, "pystac_client").name == "pystac_client"


@pytest.mark.parametrize(
    ("url", "tag"),
    [
        ("https://stac.example.com:8443/v1", "stac.example.com"),
        ("http://[2001:db8::1]:80/", "2001-db8--1"),
        ("https://bücher.example/stac", "xn--bcher-kva.example"),
        (f"https://{'ü' * 70}.example/", None),
        (f"https://{'a' * 60}.{'b' * 60}.example/", None),
    ],
)
def test_the_host_is_a_tag_that_dagster_takes(url: str, tag: str | None) -> None:
    found = Catalog(Settings(base_url=url)).host_tag
    assert tag in (None, found)
    assert dg.AssetSpec("a", tags={"stac/api": found}).tags == {"stac/api": found}


def test_long_hosts_that_begin_alike_have_different_tags() -> None:
    urls = [f"https://{'a' * 60}.{last}.example/" for last in ("east", "west")]
    assert len({Catalog(Settings(base_url=url)).host_tag for url in urls}) == 2


def test_the_catalog_of_a_project_is_the_configured_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__BASE_URL", PC)
    monkeypatch.setenv("PIPELINE__DATASET_NAME", "pc")
    enter_project(project, monkeypatch)
    catalog = read_catalog(page_size=7)
    assert (catalog.name, catalog.dataset_name) == (None, "pc")
    assert (catalog.settings.base_url, catalog.settings.page_size) == (PC, 7)
