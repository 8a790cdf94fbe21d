"""Where an item asset has more partitions than Dagster advises, whoever knows it says so, and what to set."""

import logging
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.cli.main import main
from stac_assets.definitions import build_definitions
from stac_assets_tests.commanding import QUICK, SETTING
from stac_assets_tests.stac_api import StacApi, make_item

DAYS_1000 = {"start_date": "2020-01-06", "end_date": "2022-10-01"}
"""A Monday, and the thousandth day."""
LONG = {"start_date": "1800-01-01", "end_date": "2024-12-31"}
HUNDRED = [f"c{number:03}" for number in range(100)]
ABOVE = "partitions of an asset"


@pytest.fixture(autouse=True)
def configured(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**QUICK, "BASE_URL": api.url}.items():
        monkeypatch.setenv(SETTING + name, value)


def warned(caplog: pytest.LogCaptureFixture, catalog: str | None = None, **settings: Any) -> str:
    """What the definitions with these settings warn of."""
    caplog.clear()
    with caplog.at_level(logging.WARNING, "stac_assets"):
        build_definitions(catalog, **settings)
    return " ".join(caplog.messages)


def test_at_the_limit_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert not warned(caplog, collections=HUNDRED, **DAYS_1000)
    said = warned(caplog, collections=[*HUNDRED, "one-more"], **DAYS_1000)
    assert said.count(ABOVE) == 1
    assert "101 collections with daily windows" in said and "101,000 partitions" in said
    assert 'set `granularity = "weekly"`' in said and said.endswith(": 14,443")


@pytest.mark.parametrize(
    ("granularity", "collections", "better"),
    [("daily", 8, "weekly"), ("daily", 9, "monthly"), ("monthly", 100, "yearly"), ("weekly", 30, "monthly")],
)
def test_the_finest_that_stays_below_is_named(
    caplog: pytest.LogCaptureFixture, granularity: str, collections: int, better: str
) -> None:
    said = warned(caplog, granularity=granularity, collections=HUNDRED[:collections], **LONG)
    assert f'`granularity = "{better}"`' in said


@pytest.mark.parametrize("granularity", ["daily", "yearly"])
def test_where_none_stays_below_that_is_said(caplog: pytest.LogCaptureFixture, granularity: str) -> None:
    names = [f"c{number}" for number in range(500)]
    said = warned(caplog, granularity=granularity, collections=names, **LONG)
    assert "no granularity stays below" in said and "112,500" in said and "`granularity =" not in said


def test_a_catalog_is_named_with_its_section(caplog: pytest.LogCaptureFixture, api: StacApi) -> None:
    said = warned(caplog, "east", base_url=api.url, collections=HUNDRED, **LONG)
    assert said.startswith("catalog east: ") and "[sources.pystac_client_source.catalogs.east]" in said


def test_of_all_collections_the_run_and_the_sensor_tell(
    api: StacApi, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    for name in HUNDRED[:10]:
        api.put(make_item("a", name))
    assert not warned(caplog, collections="*", **LONG) and not api.requests
    definitions = build_definitions(collections="*", **LONG)
    sensor = definitions.resolve_sensor_def("new_collections_sensor")
    with dg.build_sensor_context(
        instance=instance, repository_def=definitions.get_repository_def()
    ) as context:
        said = str(sensor.evaluate_tick(context).skip_message)
    assert "10 collections with daily" in said and '`granularity = "monthly"`' in said
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey("collections")]
    )
    logged = [entry.user_message for entry in instance.all_logs(result.run_id)]
    (line,) = [message for message in logged if ABOVE in message]
    assert "10 collections with daily" in line


def test_check_knows_how_many_the_api_has(
    api: StacApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in HUNDRED[:30]:
        api.put(make_item("a", name))
    monkeypatch.setenv(SETTING + "COLLECTIONS", "*")
    monkeypatch.setenv(SETTING + "END_DATE", "2024-12-31")
    for start, is_told in (("2020-01-01", False), ("1900-01-01", True)):
        monkeypatch.setenv(SETTING + "START_DATE", start)
        main(["check"])
        said = " ".join(capsys.readouterr().out.split())
        assert (ABOVE in said) is is_told, said
    assert "30 collections with daily" in said and '`granularity = "monthly"`' in said


def test_check_of_a_stranger_judges_what_it_recommends(
    api: StacApi, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has configured days for it, so those since 1900 that were looked at are nobody's partitions."""
    for name in HUNDRED[:30]:
        api.put(make_item("a", name))
    main(["check", "--base-url", api.url])
    assert ABOVE not in capsys.readouterr().out
