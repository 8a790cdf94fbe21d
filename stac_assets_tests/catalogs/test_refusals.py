"""What is refused of catalogs: each error names the catalog, where it stands, and what to do."""

from pathlib import Path
from typing import Any

import pytest

from stac_assets import build_definitions, load, pystac_client_source
from stac_assets.catalog import Catalog, each_catalog, read_catalog, read_catalogs
from stac_assets.settings import read_settings
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.catalogs.naming import SECTION, VARIABLE, configure, variable
from stac_assets_tests.catalogs.test_reading import EAST, WEST


@pytest.fixture
def two(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, east=EAST, west=WEST)


@pytest.mark.usefixtures("two")
def test_without_a_name_the_catalogs_are_listed() -> None:
    for ask in (read_catalog, load, pystac_client_source):
        with pytest.raises(ConfigurationError, match=r"several catalogs are configured: east, west; name"):
            ask()  # type: ignore[operator]
    with pytest.raises(ConfigurationError, match="there is none without beside them"):
        read_settings()
    with pytest.raises(ConfigurationError, match="one API is given for several catalogs: east, west"):
        build_definitions(base_url="https://other.example")


@pytest.mark.usefixtures("two")
def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    for ask in (build_definitions, read_catalog, lambda name: load(catalog=name)):
        with pytest.raises(ConfigurationError, match=r"no catalog 'eats'; did you mean 'east'\? configured"):
            ask("eats")  # type: ignore[operator]
    with pytest.raises(ConfigurationError, match=r"no catalog 'xyz'; configured are: east, west \(under"):
        pystac_client_source(catalog="xyz")


def test_where_none_is_configured_it_is_told_how_to(project: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_definitions("east")
    told = str(caught.value)
    assert f"under [{SECTION}.catalogs.east] in .dlt/config.toml" in told
    assert variable("east", "base_url") in told


@pytest.mark.parametrize(
    ("common", "east", "expected"),
    [
        ({}, {"page_size": "x"}, rf"^\[{SECTION}.catalogs.east\]: page_size is 'x'; expected a number"),
        ({"page_size": "x"}, {}, rf"^\[{SECTION}\]: page_size is 'x'; expected a number"),
        ({"end_date": "2020-01-01"}, {}, rf"^\[{SECTION}.catalogs.east\]: end_date 2020-01-01 is before"),
        ({}, {"pagesize": 1}, rf"'pagesize' in \[{SECTION}.catalogs.east\] or .*did you mean 'page_size'"),
        ({"pagesize": 1}, {}, rf"'pagesize' in \[{SECTION}\] or .*did you mean 'page_size'"),
        ({}, {"destination": "postgres"}, r"catalogs.east\]; it is one for all catalogs, under \[pipeline\]"),
        ({}, {"credentials": {"user": "s3cr3t"}}, rf"'user' in \[{SECTION}.catalogs.east.credentials\]"),
        ({}, {"api_key": "s3cr3t\n1"}, rf"^\[{SECTION}.catalogs.east\]: api_key holds a line break"),
        ({}, {"preset": "cdsee", "base_url": ""}, rf"^\[{SECTION}.catalogs.east\]: preset is 'cdsee'"),
        ({}, {"base_url": "s3cr3t"}, rf"^\[{SECTION}.catalogs.east\]: base_url"),
        ({}, {"base_url": ""}, r"the catalog east has neither a base_url nor a preset, and takes none from"),
        (
            {"base_url": "https://common.example"},
            {"base_url": ""},
            r"the catalog east has neither a base_url nor a preset",
        ),
    ],
)
def test_an_error_names_the_section_in_which_the_value_stands(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    common: dict[str, Any],
    east: dict[str, Any],
    expected: str,
) -> None:
    configure(project, monkeypatch, common=common, east=EAST | east)
    with pytest.raises(ConfigurationError, match=expected) as caught:
        read_settings("east")
    assert "s3cr3t" not in str(caught.value) or "base_url" in str(caught.value)


def test_an_argument_that_is_of_no_use(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, east=EAST)
    with pytest.raises(ConfigurationError, match=r"^catalog east: page_size is 'x'"):
        read_settings("east", page_size="x")
    with pytest.raises(ConfigurationError, match=r"^catalog east: preset is 'cdsee'; expected one of"):
        read_settings("east", preset="cdsee")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("catalogs", 7, r"catalogs is no table; expected a table \[sources.+<name>\]"),
        ("catalogs", {"east": "https://east.example"}, r"'east' under \[.+catalogs\] is no table"),
        ("catalog", {"east": EAST}, "unknown setting 'catalog' in .*did you mean 'catalogs'"),
    ],
)
def test_what_is_no_catalog(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any, expected: str
) -> None:
    configure(project, monkeypatch, common={name: value})
    with pytest.raises(ConfigurationError, match=expected):
        read_catalogs()


def test_a_variable_without_a_setting(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{VARIABLE}CATALOGS__EAST", "{}")
    with pytest.raises(ConfigurationError, match=r"CATALOGS__EAST names no setting.*such as .*__BASE_URL"):
        read_catalogs()


@pytest.mark.parametrize("name", ["stac", "pystac_client", "East", "a-b", "ä", "temp", "pg_stac"])
def test_a_name_that_no_catalog_can_have(project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    configure(project, monkeypatch, **{"east": EAST, name: WEST})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="catalog") as caught:
        read_catalogs()
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    ("dataset", "west"), [("West", "west"), ("far-west", "far_west"), ("a", "a_staging")]
)
def test_two_catalogs_in_one_dataset(
    project: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, west: str
) -> None:
    """However dlt writes it, and also where one of them would be in what it stages of the other."""
    named: dict[str, Any] = {"east": EAST | {"dataset_name": dataset}, west: WEST}
    configure(project, monkeypatch, **named)
    with pytest.raises(ConfigurationError, match=f"the catalogs .+ have one dataset, '{west}'"):
        read_catalogs()


@pytest.mark.parametrize("name", ["stac", "Pystac_Client", "temp", "information_schema", "pg_catalog"])
def test_a_dataset_that_no_catalog_can_have(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    configure(project, monkeypatch, east=EAST | {"dataset_name": name})
    with pytest.raises(ConfigurationError, match=f"no catalog can be called '{name}'"):
        read_catalogs()


def test_of_two_catalogs_in_one_dataset_a_third_hears_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, monkeypatch, east=EAST, far=EAST | {"dataset_name": "east"}, west=WEST)
    east, far, west = each_catalog()
    assert isinstance(east, Catalog) and isinstance(west, Catalog)
    assert "east and far have one dataset" in str(far)


def test_what_ails_one_catalog_does_not_ail_another(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, east=EAST | {"page_size": "x"}, west=WEST)
    assert read_catalog("west").settings.base_url == WEST["base_url"]


def test_a_dataset_with_the_name_of_its_file_is_renamed_where_the_catalog_says_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "mine.duckdb")
    configure(project, monkeypatch, east=EAST | {"dataset_name": "mine"})
    with pytest.raises(
        ConfigurationError, match=rf"set another `dataset_name` under \[{SECTION}.catalogs.east\]"
    ):
        load("client_root", catalog="east")
