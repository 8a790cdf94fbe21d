"""Settings: one value, read from dlt's configuration without network."""

import collections.abc
import inspect
import logging
import re
import traceback
from contextlib import suppress
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from stac_assets.settings import EARTH_SEARCH, ENV_PREFIX, SETTINGS, Settings, read_settings
from stac_assets.settings.declaration import Mark, Setting
from stac_assets.settings.table import PAGE, renewed
from stac_assets.source import pystac_client_source
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.options import ApiOptions
from stac_assets.stac.windows import Granularity
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import ids, load_days
from stac_assets_tests.stac_api import StacApi, make_item


def configure(project: Path, monkeypatch: pytest.MonkeyPatch, lines: str, file: str = "config.toml") -> None:
    """Write `lines` as the section of the source, and read the configuration anew."""
    (project / ".dlt" / file).write_text(f"[sources.pystac_client_source]\n{lines}\n")
    enter_project(project, monkeypatch)


def test_defaults_are_those_of_the_design(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, "")
    settings = read_settings()
    assert settings == Settings()
    assert settings.base_url == EARTH_SEARCH
    assert settings.collections == ("sentinel-2-l2a",)
    assert (settings.start_date, settings.end_date) == (date(2024, 1, 1), None)
    assert settings.granularity is Granularity.DAILY
    assert (settings.page_size, settings.max_concurrent_requests) == (200, 4)
    assert settings.requests_per_second is settings.max_items is settings.api_key is None
    assert (settings.promote_properties, settings.item_assets) == ("all", ("search",))


def test_argument_before_environment_before_secrets_before_config(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, monkeypatch, "page_size = 1")
    assert read_settings().page_size == 1
    configure(project, monkeypatch, "page_size = 2", "secrets.toml")
    assert read_settings().page_size == 2
    monkeypatch.setenv(f"{ENV_PREFIX}PAGE_SIZE", "3")
    assert read_settings().page_size == 3
    assert read_settings(page_size=4).page_size == 4


def test_the_token_comes_from_the_secrets_file_or_its_variable(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, monkeypatch, 'api_key = "from-file"', "secrets.toml")
    assert read_settings().api_key == "from-file"
    monkeypatch.setenv(f"{ENV_PREFIX}API_KEY", "from-env")
    assert read_settings().api_key == "from-env"
    assert "from-env" not in repr(read_settings())


def test_a_bare_api_key_is_warned_about_and_not_sent(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api.put(make_item("a"))
    monkeypatch.setenv("API_KEY", "s3cr3t-of-something-else")
    with caplog.at_level(logging.WARNING, "stac_assets"):
        load_days(api)
    assert ids() == ["a"]
    assert "API_KEY is set; it may belong to something else and is not sent" in caplog.text
    assert f"{ENV_PREFIX}API_KEY" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert all("authorization" not in request.headers for request in api.requests)


def test_the_placeholder_in_the_secrets_file_is_not_sent(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api.put(make_item("a"))
    configure(project, monkeypatch, 'api_key = "your_api_key_here"', "secrets.toml")
    with caplog.at_level(logging.WARNING, "stac_assets"):
        load_days(api)
    assert "placeholder" in caplog.text
    assert all("authorization" not in request.headers for request in api.requests)


def test_an_unknown_setting_is_named_wherever_it_stands(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=r"'page_sizes' in argument; did you mean 'page_size'"):
        read_settings(page_sizes=1)
    monkeypatch.setenv(f"{ENV_PREFIX}COLECTIONS", "a")
    with pytest.raises(ConfigurationError, match=r"'colections'.*did you mean 'collections'"):
        read_settings()
    monkeypatch.delenv(f"{ENV_PREFIX}COLECTIONS")
    configure(project, monkeypatch, "xyzzy = 1")
    with pytest.raises(ConfigurationError, match=r"'xyzzy'.*known are: base_url, preset, api_key"):
        read_settings()
    configure(project, monkeypatch, "")
    configure(project, monkeypatch, "api_kee = 's3cr3t'", "secrets.toml")
    with pytest.raises(ConfigurationError, match="did you mean 'api_key'") as caught:
        read_settings()
    assert "s3cr3t" not in str(caught.value)


def test_an_argument_in_python_has_no_place_in_a_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, 'request_modifier = "print"')
    with pytest.raises(ConfigurationError, match="unknown setting 'request_modifier'"):
        read_settings()


def test_fields_is_refused_with_its_reason(project: Path) -> None:
    with pytest.raises(ConfigurationError, match="`fields` is refused"):
        read_settings(fields=["id"])


@pytest.mark.parametrize(
    "day", ["2024-1-1", "2024-02-30", "yesterday", "2024-01-01T00:00:00Z", 7, "9999-01-01"]
)
@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_a_malformed_date_is_named(project: Path, name: str, day: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is .*expected"):
        read_settings(**{name: day})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", 0),
        ("page_size", "many"),
        ("page_size", True),
        ("requests_per_second", 0),
        ("backoff", float("nan")),
        ("granularity", "hourly"),
        ("collections", []),
        ("collections", ["a|b"]),
        ("collections", [7]),
        ("bbox", "1,2,3"),
        ("bbox", ["a", "b", "c", "d"]),
        ("intersects", "{"),
        ("item_assets", ["collections"]),
        ("base_url", "earth-search"),
        ("base_url", 7),
        ("max_items", -1),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_expected(
    project: Path, name: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} .*(expected|ids without)"):
        read_settings(**{name: value})  # pyright: ignore[reportArgumentType]


def test_values_of_secrets_are_not_in_errors(project: Path) -> None:
    for name, value in (("api_key", ["s3cr3t"]), ("headers", "{s3cr3t"), ("headers", ["s3cr3t"])):
        with pytest.raises(ConfigurationError, match=name) as caught:
            read_settings(**{name: value})  # pyright: ignore[reportArgumentType]
        assert "s3cr3t" not in str(caught.value)


def test_what_contradicts_itself_is_refused(project: Path) -> None:
    with pytest.raises(ConfigurationError, match="end_date 2023-12-31 is before start_date"):
        read_settings(end_date="2023-12-31")
    with pytest.raises(ConfigurationError, match="bbox and intersects"):
        read_settings(bbox=[0, 0, 1, 1], intersects={"type": "Point", "coordinates": [0, 0]})


def test_lists_and_tables_come_from_the_environment_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "COLLECTIONS": '["a", "b"]',
        "BBOX": "[0, 0, 1.5, 1]",
        "HEADERS": '{"X-Key": "v"}',
        "ITEM_ASSETS": "search,item",
        "END_DATE": "2024-02-01",
        "MAX_ITEMS": "5",
        "REQUESTS_PER_SECOND": "2.5",
        "FILTER": '{"op": "=", "args": [1, 1]}',
        "GRANULARITY": "monthly",
    }
    for name, value in given.items():
        monkeypatch.setenv(ENV_PREFIX + name, value)
    settings = read_settings()
    assert settings.collections == ("a", "b")
    assert settings.bbox == (0, 0, 1.5, 1)
    assert settings.headers == {"X-Key": "v"}
    assert settings.item_assets == ("search", "item")
    assert settings.end_date == date(2024, 2, 1)
    assert (settings.max_items, settings.requests_per_second) == (5, 2.5)
    assert settings.filter == {"op": "=", "args": [1, 1]}
    assert settings.granularity is Granularity.MONTHLY
    assert settings.recorded_filter == '{"bbox": [0, 0, 1.5, 1], "filter": {"args": [1, 1], "op": "="}}'


def test_all_collections_is_a_star(project: Path) -> None:
    settings = read_settings(collections="*")
    assert settings.all_collections and settings.named_collections == ()
    named = read_settings(collections=["c", "c", "d"])
    assert not named.all_collections and named.named_collections == ("c", "d")


def test_windows_end_with_the_last_day_included_or_today(project: Path) -> None:
    settings = read_settings(start_date="2024-01-30", end_date="2024-02-01", granularity="monthly")
    assert [window.key for window in settings.windows("c")] == ["c|2024-01-01", "c|2024-02-01"]
    assert settings.windows("c", date(2024, 2, 1))[0] == settings.window_at("c", date(2024, 2, 1))
    assert read_settings().windows("c")[-1].end > date.today() - (date(2024, 1, 3) - date(2024, 1, 1))


# Declared once ------------------------------------------------------------------------------------

ARGUMENTS = [setting for setting in SETTINGS.values() if setting.is_argument]
EACH_ARGUMENT = pytest.mark.parametrize("setting", ARGUMENTS, ids=lambda setting: setting.name)
SECRET = "s3cr3t"
PLAIN = (int, float, str, date, Granularity)


def wrong_values(setting: Setting) -> list[Any]:
    """Values that a setting cannot have."""
    if setting.least is not None:
        too_much = [setting.most * 2, float("inf")] if setting.most is not None else []
        return [setting.least - 1, "many", True, [SECRET], *too_much]
    return ["{" if setting.name in ("intersects", "query", "filter") else 7]


@EACH_ARGUMENT
def test_every_setting_is_told_in_one_sentence(setting: Setting) -> None:
    assert re.fullmatch(r"[A-Za-z].+[^.]\.", setting.sentence)
    assert ". " not in setting.sentence


@EACH_ARGUMENT
def test_a_wrong_value_is_told_in_our_words_only(project: Path, setting: Setting) -> None:
    for value in wrong_values(setting):
        with pytest.raises(ConfigurationError, match=rf"\b{setting.name}\b") as caught:
            read_settings(**{setting.name: value})
        assert "pydantic" not in "".join(traceback.format_exception(caught.value))
        assert ("expected" in str(caught.value)) is not setting.is_secret
        assert setting.least is None or f"a number, {setting.bounds}" in str(caught.value)


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.is_secret])
def test_a_secret_is_shown_neither_by_an_error_nor_by_repr(name: str) -> None:
    values: list[Any] = [[SECRET], {"a": [SECRET]}, SECRET + "\n" + SECRET, {SECRET}]
    for value in values:
        with suppress(ConfigurationError):
            settings = Settings(**{name: value})
            assert SECRET not in repr(settings) + str(settings)
            continue
        with pytest.raises(ConfigurationError) as caught:
            Settings(**{name: value})
        assert SECRET not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is caught.value.__cause__ is None


@EACH_ARGUMENT
def test_a_default_is_a_value_that_the_setting_can_have(setting: Setting) -> None:
    default = setting.field.default
    if default not in (None, ()):
        assert Settings(**{setting.name: default}) == Settings()


def test_other_values_for_some_settings() -> None:
    settings = Settings(page_size=5, collections=("a",))
    other = settings.with_(page_size="7", destination="postgres", max_items=None)
    assert (other.page_size, other.collections, other.destination) == (7, ("a",), "postgres")
    assert settings == Settings(page_size=5, collections=("a",)) != other
    with pytest.raises(ConfigurationError, match="page_size is 0"):
        settings.with_(page_size=0)
    with pytest.raises(ConfigurationError, match="'page_sice' in Settings; did you mean 'page_size'"):
        settings.with_(page_sice=1)
    with pytest.raises(ValueError, match="frozen"):
        settings.page_size = 6  # type: ignore[misc]


def test_the_client_of_the_api_has_the_settings_and_knows_where_they_stand() -> None:
    given: dict[str, Any] = {
        "page_size": 7,
        "connect_timeout": 1.5,
        "api_key": SECRET,
        "headers": {"X-A": "b"},
    }
    options = Settings(**given).api
    assert {name: getattr(options, name) for name in given} == given
    assert options.where("api_key") == Settings().where("api_key")
    assert [it.name for it in fields(ApiOptions) if it.default is not MISSING] == ["where"]
    assert "[sources.pystac_client_source] in .dlt/secrets.toml" in Settings().where("api_key")
    assert "SOURCES__PYSTAC_CLIENT_SOURCE__API_KEY" in Settings().where("api_key")
    assert "[sources.pystac_client_source.credentials]" in Settings().where("credentials")
    assert "`collections` under [sources.pystac_client_source] in .dlt/config" in Settings().where(
        "collections"
    )


def test_the_source_has_an_argument_for_every_setting_that_a_script_needs() -> None:
    unused = {Mark.IN_LOADS, Mark.IN_DAGSTER, Mark.FOUND}
    needed = [s.name for s in SETTINGS.values() if s.dlt_key is None and not s.marks & unused]
    parameters = inspect.signature(pystac_client_source).parameters
    assert list(parameters) == [needed[0], "catalog", *needed[1:], "item_ids"]
    assert all(parameters[name].default is None for name in needed)
    hints = get_type_hints(pystac_client_source)
    for name in set(needed) - {"credentials"}:
        declared, taken = atoms(SETTINGS[name].field.annotation), atoms(hints[name])
        assert declared <= taken | ({int} if float in taken else set()), name


def atoms(annotation: Any) -> set[Any]:
    """The plain types that an annotation is made of."""
    if annotation in PLAIN:
        return {annotation}
    if get_origin(annotation) is Literal:
        return {str}
    parts = get_args(annotation) if get_origin(annotation) is not collections.abc.Callable else ()
    return {atom for part in parts for atom in atoms(part)}


def test_the_table_in_the_docs_is_that_of_the_model() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "run `make settings-table`"
    told = set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
    assert {setting.name for setting in ARGUMENTS} | {"destination_name", "pipelines_dir"} == told
