"""Presets: each can be used as it stands, has a source for all that it says, and gives way to any setting."""

import logging
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stac_assets.cli.main import main
from stac_assets.settings import ENV_PREFIX, SETTINGS, read_settings
from stac_assets.settings.credentials import FIELDS
from stac_assets.settings.presets import Preset, presets, read_preset
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.identity import Identity
from stac_assets_tests.asking import asked, client, searched
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.stac_api import StacApi, make_item
from stac_assets_tests.test_identity import carried
from stac_assets_tests.test_settings import configure

AT_LEAST = {
    *("earth-search", "planetary-computer", "cdse", "cmr", "landsatlook", "veda", "maap", "dea", "deafrica"),
    *("eodc", "terrascope", "brazil-data-cube", "swisstopo", "dlr", "geodes", "eurac"),
}
POLITE = {
    *("base_url", "page_size", "search_method", "counts", "credentials", "requests_per_second"),
    *("max_concurrent_requests", "connect_timeout", "read_timeout", "request_timeout", "max_retries"),
    *("backoff", "max_backoff", "max_retry_after"),
}
"""How an API is asked. All else says what is loaded, how it is proven, or who may see a secret."""
CARRIERS = {"api_key_header", "api_key_parameter"}
SOURCE = r"# 20\d\d-\d\d: .*(\w[\w.-]*/[\w.-]+(#\d+|( [\w./-]+\.(md|py|yml)))|https://\S+)"
EACH = pytest.mark.parametrize("preset", presets().values(), ids=lambda preset: preset.name)


def value_of(preset: Preset) -> str:
    """The preset as it is set, with some provider where it takes one."""
    return f"{preset.name}/LPCLOUD" if preset.takes_provider else preset.name


def commented(text: str) -> Iterator[tuple[str, str]]:
    """Each line that sets something, and the comment above it."""
    above = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            yield line, above
        above = f"{above}{line}\n" if line.startswith("#") else ""


def faults(preset: Preset) -> list[str]:
    """What a preset must not be."""
    found = [f"{name} is not about how an API is asked" for name in set(preset.settings) - POLITE]
    url = str(preset.settings.get("base_url"))
    found += [] if re.fullmatch(r"https://[^@?#]+[^/@?#]", url) else [f"base_url is {url}"]
    kind = set(preset.settings.get("credentials", {}))
    found += [f"{name} is more than where a key goes" for name in kind - CARRIERS]
    lines = list(commented(preset.text))
    found += [f"no dated source above {line!r}" for line, above in lines if not re.search(SOURCE, above)]
    return found if len(lines) <= 30 and preset.text.startswith("# ") else [*found, "too long, or nameless"]


def test_the_known_apis_have_one() -> None:
    assert set(presets()) >= AT_LEAST


@EACH
def test_a_preset_can_be_used_as_it_stands(preset: Preset, project: Path) -> None:
    assert faults(preset) == []
    settings = read_settings(preset=value_of(preset), api_key="s3cr3t")
    lines = read_preset(value_of(preset))
    assert {name: getattr(settings, name) for name in lines.keys() - {"credentials"}} == {
        name: value for name, value in lines.items() if name != "credentials"
    }
    assert "{" not in settings.base_url
    assert settings.credentials == Identity(**lines.get("credentials", {}))


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "s3cr3t"',
        "headers = { X-Key = 's3cr3t' }",
        'trusted_origins = ["https://evil.example"]',
        'credentials = { username = "u" }',
        'credentials = { token_url = "https://evil.example/token" }',
        "confirm_shrunk = false",
        "largest_whole_collection = 0",
        "max_items = 5",
        'query = "{}"',
        'destination = "duckdb"',
        'base_url = "http://plain.example"',
        'base_url = "https://user@api.example"',
    ],
)
def test_what_a_preset_must_not_hold_is_seen(line: str) -> None:
    dated = "# 2026-11: some/where#1\n"
    base = f'{dated}base_url = "https://api.example"\n' if "base_url" not in line else ""
    text = f"# An API.\n{base}{dated}{line}\n"
    assert len(faults(Preset("bad", tomllib.loads(text), text))) == 1
    text = '# An API.\n# 2026-11: some/where#1\nbase_url = "https://api.example"\npage_size = 5\n'
    assert faults(Preset("bad", tomllib.loads(text), text)) == ["no dated source above 'page_size = 5'"]


def test_every_field_of_a_credential_was_thought_of() -> None:
    assert set(SETTINGS) > POLITE and set(FIELDS) > CARRIERS


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cdsee", r"preset is 'cdsee'; expected one of brazil-data-cube, cdse, cmr/PROVIDER, .*veda"),
        ("cmr", r"preset is 'cmr'; expected 'cmr/PROVIDER'.*https://cmr.earthdata.nasa.gov/stac/ is an API"),
        ("cmr/", "expected 'cmr/PROVIDER'"),
        ("cmr/LPCLOUD/x", "expected 'cmr/PROVIDER'"),
        ("cmr/../x", "expected 'cmr/PROVIDER'"),
        ("cdse/LPCLOUD", "preset is 'cdse/LPCLOUD'; expected 'cdse', which is one API"),
        ("../presets/cdse", "expected one of"),
        (7, "preset is 7; expected text"),
    ],
)
def test_an_unknown_preset_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: Any, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_preset(name)
    with pytest.raises(ConfigurationError, match=told):
        read_settings(preset=name)
    configure(project, monkeypatch, f"preset = {name!r}")
    with pytest.raises(ConfigurationError, match=told):
        read_settings()


def test_any_setting_comes_before_a_preset(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, 'preset = "swisstopo"')
    assert (read_settings().page_size, read_settings().base_url) == (
        100,
        read_preset("swisstopo")["base_url"],
    )
    assert read_settings().max_concurrent_requests == 4  # which the preset does not speak of
    for file, size in (("config.toml", 50), ("secrets.toml", 40)):
        configure(project, monkeypatch, f'preset = "swisstopo"\npage_size = {size}', file)
        assert read_settings().page_size == size
    monkeypatch.setenv(f"{ENV_PREFIX}PAGE_SIZE", "30")
    assert read_settings().page_size == 30
    assert read_settings(page_size=20).page_size == 20
    monkeypatch.setenv(f"{ENV_PREFIX}PAGE_SIZE", "")  # is not given
    assert read_settings().page_size == 40


def test_the_first_place_that_names_an_api_chooses_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, monkeypatch, 'preset = "dlr"\nbase_url = "https://own.example"')
    assert read_settings().base_url == "https://own.example"
    configure(project, monkeypatch, 'preset = "dlr"', "secrets.toml")
    assert read_settings().base_url == read_preset("dlr")["base_url"]
    monkeypatch.setenv(f"{ENV_PREFIX}BASE_URL", "https://typed.example")
    assert read_settings().base_url == "https://typed.example"
    assert read_settings(preset="eurac").base_url == "https://stac.eurac.edu"
    assert read_settings(preset="eurac", base_url="https://given.example").base_url == "https://given.example"
    assert read_settings(preset="eurac", base_url="https://given.example").search_method == "GET"


# Where a stored credential goes ---------------------------------------------------------------------


def test_a_stored_credential_is_not_sent_to_the_api_of_another_preset(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    configure(project, monkeypatch, 'base_url = "https://own.example"')
    configure(project, monkeypatch, 'api_key = "s3cr3t"', "secrets.toml")
    with caplog.at_level(logging.WARNING, "stac_assets"):
        assert read_settings(preset="eurac").api_key is None
    told = "configured for https://own.example (api_key) is not sent to https://stac.eurac.edu, which an"
    assert told in caplog.text
    monkeypatch.setenv(f"{ENV_PREFIX}PRESET", "eurac")
    assert f"the variable {ENV_PREFIX}PRESET puts in its place" in read_settings().withheld
    assert read_settings(preset="eurac", base_url="https://own.example/v1").api_key == "s3cr3t"
    monkeypatch.setenv(f"{ENV_PREFIX}API_KEY", "typed")
    assert read_settings().api_key == "typed"


def test_the_api_of_a_stored_preset_owns_what_is_stored_with_it(
    project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project, monkeypatch, 'preset = "eurac"')
    configure(project, monkeypatch, 'api_key = "s3cr3t"', "secrets.toml")
    assert read_settings().api_key == read_settings(preset="eurac").api_key == "s3cr3t"
    assert read_settings(preset="dlr").api_key is None
    api.put(make_item("a"))
    assert main(["check", "--base-url", api.url, "--collection", "c1", "--start", "2024-01-01"]) == 0
    assert api.requests and not any(carried(request) for request in api.requests)
    assert "configured for https://stac.eurac.edu (api_key) is not sent" in capsys.readouterr().err


def test_a_preset_says_where_a_key_goes_and_the_user_says_otherwise(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings(preset="geodes").credentials == Identity()  # nothing is to be carried
    assert read_settings(preset="geodes", api_key="k").credentials == Identity(api_key_header="X-API-Key")
    given = {"api_key": "k", "api_key_parameter": "key"}
    assert read_settings(preset="geodes", credentials=given).credentials == Identity(api_key_parameter="key")
    (project / ".dlt" / "secrets.toml").write_text(
        '[sources.pystac_client_source]\npreset = "geodes"\n[sources.pystac_client_source.credentials]\n'
        'api_key = "k"\nusername = "u"\n'
    )
    enter_project(project, monkeypatch)
    assert read_settings().credentials == Identity(api_key_header="X-API-Key", username="u")


# What its lines do ----------------------------------------------------------------------------------


def test_search_is_by_get_where_that_is_set(full: StacApi) -> None:
    everything = searched(client(full))
    assert "POST" in asked(full)
    full.requests.clear()
    assert searched(client(full, search_method="GET")) == everything
    assert set(asked(full)) == {"GET"}


def test_a_flag_names_a_preset_and_help_says_so(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in ("load", "check"):
        with pytest.raises(SystemExit) as stopped:
            main([command, "--preset", "cdsee"])
        assert stopped.value.code == 2
        assert "preset is 'cdsee'; expected one of" in capsys.readouterr().err
