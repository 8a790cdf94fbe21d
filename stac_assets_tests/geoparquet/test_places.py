"""Files are the same from wherever the table is, and go to a folder or a bucket."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stac_assets_tests.destinations.s3 import S3
from stac_assets_tests.geoparquet.exporting import export, footer_of, names, scene
from stac_assets_tests.loads import load_catalog, load_days
from stac_assets_tests.reading import POSTGRES_URL
from stac_assets_tests.stac_api import StacApi, make_collection


def filled(api: StacApi) -> StacApi:
    """The API, whose items of two days are loaded."""
    api.collections.append({**make_collection("c1"), "title": "One"})
    for day in (1, 2):
        for number in range(3):
            item = scene(number, day, 10.0 * number, gsd=2.5, odd=[None, number, "x"])
            api.put(item | ({"geometry": None} if number == 2 else {}))
    load_days(api, last="2024-01-02")
    load_catalog(api, "collections")
    return api


def content(folder: Path) -> dict[str, Any]:
    """The rows, schemas and footers of files."""
    found: dict[str, Any] = {}
    for name in names(folder):
        file = folder / "c1" / name
        table = pq.read_table(file)
        schema = table.schema.remove_metadata()  # PostgreSQL keeps members in an order of its own
        found[name] = (table.to_pylist(), schema, footer_of(file))
    return found


@pytest.mark.parametrize("form", ["delta", "parquet", "postgres"])
def test_from_files_and_from_postgresql_as_from_duckdb(
    api: StacApi, project: Path, form: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    export(filled(api), project / "from-duckdb")
    if form == "postgres":
        monkeypatch.setenv("PIPELINE__DESTINATION", "postgres")
        monkeypatch.setenv(POSTGRES_URL, request.getfixturevalue("postgres_url"))
    else:
        pytest.importorskip("deltalake", reason="Delta tables need deltalake")
        monkeypatch.setenv("PIPELINE__DESTINATION", "filesystem")
        monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (project / "lake").as_uri())
        monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__TABLE_FORMAT", form)
    export(filled(api), project / "out")
    assert len(content(project / "out")) == 2
    assert content(project / "out") == content(project / "from-duckdb")


@pytest.mark.parametrize("name", ["with a space", "ü%20#1?", "[x]*", "ends.parquet/"])
def test_a_folder_has_the_name_that_was_given(api: StacApi, project: Path, name: str) -> None:
    filled(api)
    for to in (name, (project / f"by-url/{name}").as_uri() + "/"):
        export(api, to)
    for folder in (project / name, project / "by-url" / name):
        assert names(folder) == ["2024-01-01.parquet", "2024-01-02.parquet"]
    if not name.endswith("/"):
        export(api, f"{name}/all.parquet")
        assert pq.read_metadata(project / name / "all.parquet").num_rows == 6


@pytest.mark.parametrize("collection", [".", "..", "a/b", "q\"u'o", "gl*[o]b?", "a=b", "100%", "ü ☃"])
def test_a_collection_has_a_folder_of_its_own_below(api: StacApi, project: Path, collection: str) -> None:
    api.collections.append(make_collection(collection))
    api.put(scene(1) | {"collection": collection})
    load_days(api, collections=collection)
    done = export(api, project / "out", collection=collection)
    (file,) = (Path(path) for path in done.files.values())
    assert file.parent.parent.resolve() == project / "out" and file.parent.name not in (".", "..")
    assert pq.ParquetFile(file).read(columns=["collection"])["collection"].to_pylist() == [collection]


def test_into_a_bucket(api: StacApi, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("s3fs", reason="buckets of S3 need s3fs")
    s3 = S3.start()
    try:
        for name, value in s3.environment().items():
            monkeypatch.setenv(name, value)
        bucket = s3.new_bucket("exported")
        filled(api)
        done = export(api, f"{bucket}/items")
        assert list(done.files.values()) == [f"{bucket}/items/c1/2024-01-0{day}.parquet" for day in (1, 2)]
        for number in range(3):
            api.remove("c1", f"scene-1-{number}")
        load_days(api)
        assert export(api, f"{bucket}/items").removed == [f"{bucket}/items/c1/2024-01-01.parquet"]
        keys = [found["Key"] for found in s3.client().list_objects_v2(Bucket="exported")["Contents"]]
        assert keys == ["items/c1/2024-01-02.parquet"]
        export(api, f"{bucket}/all.parquet")
        s3.client().download_file("exported", "all.parquet", str(project / "all.parquet"))
        assert pq.read_metadata(project / "all.parquet").num_rows == 3
    finally:
        s3.server.stop()
