"""`pystac_client_source` in somebody's own dlt script: any pipeline, destination and choice of resources."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
import pytest
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from stac_assets.source import pystac_client_source
from stac_assets.source.rows import item_from_row
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.conftest import enter_project
from stac_assets_tests.loads import IMPATIENT
from stac_assets_tests.stac_api import StacApi, make_collection, make_item
from stac_assets_tests.stac_api_faults import Request

Make = Callable[[], Pipeline]


def source(api: StacApi, *resources: str, **settings: Any) -> DltSource:
    chosen = {"collections": ["c1", "c2"], "start_date": "2024-01-01", "end_date": "2024-01-03"}
    found = pystac_client_source(api.url, **{**IMPATIENT, **chosen, **settings})
    return found.with_resources(*resources) if resources else found


@pytest.fixture
def my_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path) -> Make:
    """A pipeline as in a script in a folder without any configuration."""
    folder = tmp_path / "script"
    folder.mkdir()
    enter_project(folder, monkeypatch)
    return lambda: dlt.pipeline("my_pipeline", destination="duckdb", dataset_name="stac")


@pytest.fixture
def my_postgres_pipeline(my_pipeline: Make, postgres_url: str) -> Make:
    destination = dlt.destinations.postgres(postgres_url)
    return lambda: dlt.pipeline("my_pipeline", destination=destination, dataset_name="stac")


def three_items() -> list[dict[str, Any]]:
    spans = make_item("b", "c2", start="2024-01-02T12:00:00Z", end="2024-01-09T00:00:00Z", gsd=10.5)
    odd = {"extra": {"ü": [1, None]}, "geometry": None}
    typed: dict[str, Any] = {"gsd": 10, "title": "A", "proj": True, "proj:epsg": 32633}
    return [
        make_item("a", **typed),
        spans,
        make_item("c", datetime="2024-01-03T23:59:59.9995Z", extra=odd, big=2**60),
    ]


def stored_items(pipeline: Pipeline) -> list[dict[str, Any]]:
    frame = pipeline.dataset().search.df().sort_values("id")
    return [item_from_row(row) for row in frame.to_dict("records")]


def selected_items(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The items as a database's own driver returns them: PostgreSQL's has parsed the JSON already."""
    with pipeline.sql_client() as client, client.execute_query("SELECT * FROM search ORDER BY id") as cursor:
        names = [column[0] for column in cursor.description or ()]
        return [item_from_row(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def test_a_duckdb_pipeline(my_pipeline: Make, api: StacApi) -> None:
    sent = three_items()
    for item in sent:
        api.put(item)
    pipeline = my_pipeline()
    pipeline.run(source(api, "search", "collections")).raise_on_failed_jobs()

    assert stored_items(pipeline) == sent
    assert Path("my_pipeline.duckdb").exists()
    assert {name for name in pipeline.dataset().tables if not name.startswith("_dlt")} == {
        "search",
        "collections",
    }
    table = pipeline.dataset().search.arrow()
    types = {name: table.schema.field(name).type for name in ("id", "gsd", "proj_epsg", "proj", "datetime")}
    assert types == {
        "id": pa.string(),
        "gsd": pa.float64(),
        "proj_epsg": pa.int64(),
        "proj": pa.bool_(),
        "datetime": pa.timestamp("us", "UTC"),
    }
    assert sorted(pipeline.dataset().collections.arrow()["id"].to_pylist()) == ["c1", "c2"]

    api.remove("c1", "a")
    api.collections.append(make_collection("c3"))
    pipeline.run(source(api, "search", "collections"))
    assert stored_items(pipeline) == sent[1:]
    assert len(pipeline.dataset().collections.df()) == 3


def test_a_postgresql_pipeline(my_postgres_pipeline: Make, api: StacApi) -> None:
    sent = three_items()
    for item in sent:
        api.put(item)
    pipeline = my_postgres_pipeline()
    pipeline.run(source(api, "search", "collections")).raise_on_failed_jobs()
    assert selected_items(pipeline) == sent
    row = pipeline.dataset().search.df().set_index("id").loc["a"]
    assert (row["gsd"], row["proj_epsg"], row["proj"], row["title"]) == (10.0, 32633, True, "A")
    assert str(pipeline.dataset().search.df()["datetime"].dtype).startswith("datetime64[")

    api.remove("c1", "a")
    api.put(make_item("b", "c2", "2024-01-02T00:00:00Z", gsd="text", new=1))
    pipeline.run(source(api, "search", "collections"))
    found = pipeline.dataset().search.df().set_index("id")
    assert sorted(found.index) == ["b", "c"]
    assert found.loc["b", "new"] == 1.0
    assert found["gsd"].isna().all()


def test_all_nine_resources_at_once(my_pipeline: Make, api: StacApi) -> None:
    for item in three_items():
        api.put(item)
    pipeline = my_pipeline()
    pipeline.run(source(api, item_ids=["a", "b"])).raise_on_failed_jobs()
    counts = pipeline.dataset().row_counts().fetchall()
    assert dict(counts) == {
        "client_root": 1,
        "conformance": len(api.conforms_to),
        "landing_pages": 11,
        "collections": 2,
        "collection": 2,
        "queryables": 6,
        "collection_items": 3,
        "search": 3,
        "item": 2,
    }


def test_all_collections_and_settings_by_name(my_pipeline: Make, api: StacApi) -> None:
    api.token = "t"
    for item in three_items():
        api.put(item)
    seen: list[str] = []
    pipeline = my_pipeline()
    pipeline.run(
        source(
            api,
            "search",
            collections="*",
            api_key="t",
            headers={"X-Mine": "1"},
            request_modifier=lambda request: seen.append(request.method),
            granularity="monthly",
            promote_properties=["gsd"],
        )
    )
    assert len(pipeline.dataset().search.df()) == 3
    assert "title" not in pipeline.dataset().search.columns
    assert {request.headers["x-mine"] for request in api.requests} == {"1"}
    assert len(seen) == len(api.requests)


def test_a_source_is_cheap_and_says_what_it_cannot_do(my_pipeline: Make, api: StacApi) -> None:
    made = source(api)
    assert sorted(made.resources) == sorted(
        [
            *("client_root", "conformance", "landing_pages", "collections", "collection", "queryables"),
            *("collection_items", "search", "item"),
        ]
    )
    assert api.requests == []
    with pytest.raises(TypeError, match="pagesize"):
        source(api, pagesize=3)
    with pytest.raises(ConfigurationError, match="page_size"):
        source(api, page_size=0)


def test_a_window_that_fails_fails_the_run_and_nothing_changes(my_pipeline: Make, api: StacApi) -> None:
    for item in three_items():
        api.put(item)
    pipeline = my_pipeline()
    pipeline.run(source(api, "search", largest_whole_collection=0))
    before = stored_items(pipeline)

    def second_day(request: Request) -> bool:
        start, _, end = str((request.body or {}).get("datetime", "")).partition("/")
        return start < "2024-01-03" and end > "2024-01-02T00:00:00Z"

    api.fault(second_day, status=400, times=None)
    api.clear()
    with pytest.raises(PipelineStepFailed, match=r"nothing was stored.*c1, 2024-01-02"):
        pipeline.run(source(api, "search", largest_whole_collection=0))
    pipeline.drop_pending_packages()
    assert stored_items(pipeline) == before


def test_a_dataset_of_another_api_is_refused(my_pipeline: Make, api: StacApi) -> None:
    for item in three_items():
        api.put(item)
    pipeline = my_pipeline()
    pipeline.run(source(api, "search"))
    with StacApi(items=three_items()) as other, pytest.raises(PipelineStepFailed, match="mirrors"):
        pipeline.run(source(other, "search"))
