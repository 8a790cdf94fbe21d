"""Collections whose ids Dagster does not take as partition keys: they are named, and the others load."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stac_assets.catalog import read_catalog
from stac_assets.definitions import build_definitions
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.commanding import QUICK, SETTING
from stac_assets_tests.loads import ids
from stac_assets_tests.stac_api import StacApi, make_item

ODD = ["a...b", "line\nbreak", "tab\tstop", "bar|bar", "long" * 300, "nul\0", "\a bell"]
FINE = ["c1", "with blank", "ünï", "a/b", "a..b", "a,b", "[x]", "%2F", "'quoted'", "{name}"]


@pytest.fixture(autouse=True)
def configured(project: Path, api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"BASE_URL": api.url, "START_DATE": "2024-01-01", "END_DATE": "2024-01-01"}
    for name, value in {**QUICK, **given}.items():
        monkeypatch.setenv(SETTING + name, value)


def serve(api: StacApi, names: Iterable[str]) -> None:
    for name in names:
        api.put(make_item("a", name))


def run(instance: dg.DagsterInstance, asset: str, partition: str | None = None, **settings: Any) -> Any:
    job = build_definitions(**settings).resolve_implicit_global_asset_job_def()
    selected = [dg.AssetKey(asset)]
    return job.execute_in_process(instance=instance, asset_selection=selected, partition_key=partition)


def test_of_all_that_are_listed(api: StacApi, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(api, [*ODD, *FINE])
    monkeypatch.setenv(SETTING + "COLLECTIONS", "*")
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(instance, "collections")
        logged = [entry.user_message for entry in instance.all_logs(result.run_id)]
        (line,) = [message for message in logged if "cannot be a partition" in message]
        assert line.startswith("7 collections") and "'a...b', 'line\\nbreak'" in line and "and 2 more" in line
        known = instance.get_dynamic_partitions(read_catalog().collection_partitions_name)
        assert sorted(known) == sorted(FINE)
        for name in FINE[1:4]:
            assert run(instance, "search", f"{name}|2024-01-01").success
    assert ids() == ["a"] * 3


def test_of_those_that_are_configured(api: StacApi, caplog: pytest.LogCaptureFixture) -> None:
    serve(api, ["c1", "a...b"])
    with dg.DagsterInstance.ephemeral() as instance:
        with caplog.at_level(logging.WARNING, "stac_assets"):
            assert run(instance, "search", "c1|2024-01-01", collections=["a...b", "c1"]).success
        assert caplog.text.count("1 collection cannot be a partition") == 1 and "'a...b'" in caplog.text
    with pytest.raises(ConfigurationError, match=r"1 collection cannot be a partition.*'a\.\.\.b'"):
        build_definitions(collections=["a...b"])
