"""A catalog's credential reaches its own origin only: two catalogs whose links lead to each other."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg
import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from stac_assets import load, pystac_client_source
from stac_assets.cli.main import main
from stac_assets.orchestration.build import build_definitions
from stac_assets.stac.errors import StacError
from stac_assets_tests.catalogs.naming import configure
from stac_assets_tests.catalogs.pointing import PointingApi
from stac_assets_tests.loads import QUICK
from stac_assets_tests.stac_api import make_item

TOKEN, STATIC, KEY, COMMON = "t0ken-of-the-east", "static-of-the-east", "k3y-of-the-west", "s3cret-of-nobody"
DAY = ("--start", "2024-01-01", "--end", "2024-01-01")
ASSETS = (("collections", None), ("collection", "c1"), ("search", "c1|2024-01-01"))
Apis = tuple[PointingApi, PointingApi]


@pytest.fixture
def apis() -> Iterator[Apis]:
    """Two APIs with the same items, on two pages."""
    items = [make_item(f"{number}", "c1") for number in range(3)]
    with PointingApi(items=items) as east, PointingApi(items=items) as west:
        east.other, west.other = west, east
        yield east, west


@pytest.fixture
def project_of_both(project: Path, apis: Apis, monkeypatch: pytest.MonkeyPatch) -> Path:
    east, west = ({"base_url": api.url, "collections": ["c1"], "end_date": "2024-01-01"} for api in apis)
    configure(project, monkeypatch, common={**QUICK, "page_size": 2}, east=east, west=west)
    configure(
        project,
        monkeypatch,
        file="secrets.toml",
        common={"api_key": COMMON, "headers": {"X-Common": COMMON}},
        east={"api_key": TOKEN, "headers": {"X-Static": STATIC}},
        west={"credentials": {"api_key": KEY, "api_key_header": "X-Key"}},
    )
    return project


def by_command() -> None:
    for name in ("east", "west"):
        main(["check", "--catalog", name])
        for resource in ("collections", "landing_pages", "search", "collection_items"):
            main(["load", "--catalog", name, "--resource", resource, *DAY])


def by_python() -> None:
    for name in ("east", "west"):
        for resource in ("client_root", "queryables", "search"):
            with suppress(StacError):
                load(resource, catalog=name)


def by_dagster() -> None:
    """Both catalogs in one process, as a code server has them."""
    definitions = build_definitions()
    job, repository = definitions.resolve_implicit_global_asset_job_def(), definitions.get_repository_def()
    with dg.instance_for_test() as instance:
        for name in ("east", "west"):
            for asset, partition in (
                ("collections", None),
                ("collection", "c1"),
                ("search", "c1|2024-01-01"),
            ):
                job.execute_in_process(
                    instance=instance,
                    asset_selection=[dg.AssetKey([name, asset])],
                    partition_key=partition,
                    raise_on_error=False,
                )
            for sensor in ("new_items_sensor", "new_collections_sensor"):
                with dg.build_sensor_context(instance=instance, repository_def=repository) as context:
                    repository.get_sensor_def(f"{name}_{sensor}").evaluate_tick(context)


def by_dlt() -> None:
    for name in ("east", "west"):
        pipeline = dlt.pipeline(f"of_{name}", destination="duckdb", dataset_name=name)
        with suppress(PipelineStepFailed):
            pipeline.run(pystac_client_source(catalog=name).with_resources("search", "collections"))


@pytest.mark.usefixtures("project_of_both")
@pytest.mark.parametrize("moved", [(), ("/search", "/collections")], ids=["links", "redirects"])
@pytest.mark.parametrize("door", [by_command, by_python, by_dagster, by_dlt])
def test_no_catalog_hears_the_credential_of_another(
    apis: Apis, door: Callable[[], None], moved: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    east, west = apis
    east.moved = west.moved = moved
    door()
    assert TOKEN in east.heard and STATIC in east.heard and KEY in west.heard
    assert not any(secret in west.heard for secret in (TOKEN, STATIC, COMMON))
    assert not any(secret in east.heard for secret in (KEY, COMMON))
    out, err = capfd.readouterr()
    assert not any(secret in out + err for secret in (TOKEN, STATIC, KEY, COMMON))


@pytest.mark.usefixtures("project_of_both")
def test_an_origin_that_is_trusted_hears_it(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the canary sings where it should: one catalog trusts the other, which does not trust it."""
    east, west = apis
    trusted = "SOURCES__PYSTAC_CLIENT_SOURCE__CATALOGS__EAST__TRUSTED_ORIGINS"
    monkeypatch.setenv(trusted, west.url)
    by_python()
    assert TOKEN in west.heard and KEY not in east.heard
