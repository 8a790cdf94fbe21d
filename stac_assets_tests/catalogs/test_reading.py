"""Which settings a catalog has: those of its own section, then the common ones, then the defaults."""

import logging
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stac_assets.catalog import read_catalog, read_catalogs
from stac_assets.settings import EARTH_SEARCH, read_settings
from stac_assets.settings.presets import read_preset
from stac_assets.stac.http.identity import Identity
from stac_assets_tests.catalogs.naming import VARIABLE, configure, variable

EAST, WEST = {"base_url": "https://east.example/stac"}, {"base_url": "https://west.example/stac"}


def test_catalogs_of_a_file_have_their_own_names_and_settings(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own: dict[str, Any] = {"granularity": "monthly", "collections": ["a", "b"]}
    configure(project, monkeypatch, common={"page_size": 7}, west=WEST, east=EAST | own)
    east, west = read_catalogs()
    assert (east.name, east.dataset_name, east.pipeline_name) == ("east", "east", "east")
    assert (west.name, west.dataset_name, west.pipeline_name) == ("west", "west", "west")
    assert (east.settings.base_url, west.settings.base_url) == (EAST["base_url"], WEST["base_url"])
    assert (east.settings.collections, west.settings.collections) == (("a", "b"), "*")
    assert (east.settings.granularity, west.settings.granularity) == ("monthly", "daily")
    assert east.settings.page_size == west.settings.page_size == 7


def test_catalogs_of_the_environment_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the project has an API of its own, which stands in the place of what is common then."""
    monkeypatch.setenv(variable("east", "base_url"), EAST["base_url"])
    monkeypatch.setenv(variable("far_west_", "base_url"), WEST["base_url"])
    monkeypatch.setenv(variable("far_west_", "collections"), "a,b")
    monkeypatch.setenv(variable("unset", "base_url"), "")
    east, west = read_catalogs()
    assert (east.name, west.name) == ("east", "far_west_")
    assert (east.settings.collections, west.settings.collections) == ("*", ("a", "b"))
    assert east.settings.start_date == date(2024, 1, 1)


def test_names_of_which_one_begins_another(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of `a_` begin with what those of `a` begin with; both read what is theirs."""
    for number, name in enumerate(("a", "a_", "a_b", "a_b_"), start=1):
        monkeypatch.setenv(variable(name, "base_url"), f"https://{number}.example")
        monkeypatch.setenv(variable(name, "page_size"), str(number))
    catalogs = read_catalogs()
    assert [catalog.name for catalog in catalogs] == ["a", "a_", "a_b", "a_b_"]
    assert [catalog.settings.page_size for catalog in catalogs] == [1, 2, 3, 4]
    assert [catalog.host for catalog in catalogs] == [f"{number}.example" for number in range(1, 5)]


def test_the_order_in_which_values_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> tuple[int, int]:
        return read_settings("east").page_size, read_settings("west").page_size

    configure(project, monkeypatch, east=EAST, west=WEST)
    assert found() == (200, 200)
    configure(project, monkeypatch, common={"page_size": 1}, east=EAST, west=WEST)
    assert found() == (1, 1)
    configure(project, monkeypatch, file="secrets.toml", common={"page_size": 2})
    assert found() == (2, 2)
    monkeypatch.setenv(f"{VARIABLE}PAGE_SIZE", "3")
    assert found() == (3, 3)
    configure(project, monkeypatch, common={"page_size": 1}, east=EAST | {"page_size": 4}, west=WEST)
    assert found() == (4, 3)
    configure(project, monkeypatch, file="secrets.toml", east={"page_size": 5})
    assert found() == (5, 3)
    monkeypatch.setenv(variable("east", "page_size"), "6")
    assert found() == (6, 3)
    assert read_settings("east", page_size=7).page_size == 7


COMMON = {
    "base_url": "https://common.example",
    "preset": "veda",
    "collections": ["common"],
    "headers": {"X-Key": "s3cr3t"},
    "trusted_origins": ["https://trusted.example"],
    "api_key": "s3cr3t",
    "credentials": {"username": "u", "password": "s3cr3t"},
}


@pytest.mark.parametrize("name", COMMON)
@pytest.mark.parametrize("file", ["config.toml", "secrets.toml"])
def test_what_is_of_one_api_is_not_inherited(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, file: str
) -> None:
    configure(project, monkeypatch, east=EAST)
    configure(project, monkeypatch, file="secrets.toml", common={"page_size": 9})
    before = read_catalog("east").settings
    assert "does not count" not in caplog.text
    catalogs = {"east": EAST} if file == "config.toml" else {}
    configure(project, monkeypatch, file=file, common={"page_size": 9, name: COMMON[name]}, **catalogs)
    with caplog.at_level(logging.WARNING):
        assert read_catalog("east").settings == before
    assert f"{name} under [sources.pystac_client_source]" in caplog.text
    assert "does not count for the catalogs east" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_nor_from_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, east=EAST)
    for name in ("API_KEY", "CREDENTIALS__PASSWORD"):
        monkeypatch.setenv(VARIABLE + name, "s3cr3t")
    monkeypatch.setenv(f"{VARIABLE}HEADERS", '{"X-Key": "s3cr3t"}')
    settings = read_settings("east")
    assert (settings.api_key, settings.headers, settings.credentials) == (None, {}, Identity())


def test_a_catalog_has_credentials_of_its_own(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, east=EAST, west=WEST)
    configure(
        project,
        monkeypatch,
        file="secrets.toml",
        east={"api_key": "of-the-east"},
        west={"credentials": {"username": "u", "password": "p"}},
    )
    monkeypatch.setenv(variable("west", "credentials__password"), "typed")
    assert read_settings("east").api_key == "of-the-east"
    assert read_settings("west").credentials == Identity(username="u", password="typed")
    assert (read_settings("east").credentials, read_settings("west").api_key) == (Identity(), None)


def test_a_stored_credential_belongs_to_the_base_url_of_its_catalog(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, monkeypatch, east=EAST, west=WEST)
    configure(project, monkeypatch, file="secrets.toml", east={"api_key": "s3cr3t"})
    moved = read_settings("east", base_url=WEST["base_url"])
    assert moved.api_key is None
    assert "configured for https://east.example/stac (api_key) is not sent" in moved.withheld
    assert f"({VARIABLE}CATALOGS__EAST__…)" in moved.withheld
    monkeypatch.setenv(variable("east", "base_url"), WEST["base_url"])
    assert f"the variable {variable('east', 'base_url')} puts" in read_settings("east").withheld


def test_a_dataset_may_be_named_for_one_and_not_for_all(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = {"dataset_name": "all"}
    configure(project, monkeypatch, pipeline=pipeline, east=EAST | {"dataset_name": "orient"}, west=WEST)
    assert [catalog.dataset_name for catalog in read_catalogs()] == ["orient", "west"]
    assert "dataset_name under [pipeline]" in caplog.text
    monkeypatch.setenv(variable("west", "dataset_name"), "occident")
    assert read_catalog("west").dataset_name == "occident"
    assert read_catalog("west", dataset_name="given").dataset_name == "given"


def test_the_only_catalog_needs_not_be_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, east=EAST)
    assert read_catalog().name == "east"
    assert read_catalog(page_size=3).settings.page_size == 3


def test_a_new_one_is_given_by_its_url(project: Path) -> None:
    """It takes what is common, and nothing of the API that the project has besides."""
    catalog = read_catalog("east", **EAST)
    assert (catalog.name, catalog.settings.collections) == ("east", "*")
    assert read_catalog().settings.base_url == EARTH_SEARCH


def test_a_preset_comes_after_its_catalog_and_before_what_is_common(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = read_preset("cdse")
    assert {"base_url", "requests_per_second"} <= preset.keys()
    configure(project, monkeypatch, common={"requests_per_second": 99, "preset": "veda"}, east=EAST)
    assert read_settings("east").requests_per_second == 99
    assert read_settings("east").base_url == EAST["base_url"]
    configure(project, monkeypatch, common={"requests_per_second": 99}, east={"preset": "cdse"})
    settings = read_settings("east")
    assert settings.base_url == preset["base_url"].rstrip("/")
    assert settings.requests_per_second == preset["requests_per_second"]
    monkeypatch.setenv(f"{VARIABLE}REQUESTS_PER_SECOND", "98")
    assert read_settings("east").requests_per_second == preset["requests_per_second"]
    monkeypatch.setenv(variable("east", "requests_per_second"), "3")
    assert read_settings("east").requests_per_second == 3
    assert read_catalog("new", preset="veda").settings.base_url == read_preset("veda")["base_url"]


def test_a_stored_credential_belongs_to_the_preset_of_its_catalog(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, monkeypatch, east={"preset": "cdse"})
    configure(project, monkeypatch, file="secrets.toml", east={"api_key": "s3cr3t"})
    assert read_settings("east").api_key == "s3cr3t"
    for given in ({"preset": "veda"}, {"base_url": "https://other.example"}):
        assert read_settings("east", **given).api_key is None
    monkeypatch.setenv(variable("east", "preset"), "veda")
    assert f"the variable {variable('east', 'preset')} puts" in read_settings("east").withheld
