"""One schema for all files of a collection, whatever its items bring, and what happens when it changes."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stac_assets.export.exporting import Days
from stac_assets.stac.windows import Window
from stac_assets_tests.geoparquet.exporting import export, ids_in, names, scene
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi

FIRST = Days(date(2024, 1, 1), date(2024, 1, 1))
SECOND = [Window("c1", date(2024, 1, 2), date(2024, 1, 3))]


def schemas(folder: Path) -> list[pa.Schema]:
    return [pq.read_schema(folder / "c1" / name) for name in names(folder)]


def file_of(folder: Path, day: int = 1) -> pa.Table:
    return pq.read_table(folder / f"c1/2024-01-0{day}.parquet")


def with_assets(item: dict[str, Any], *keys: str, **members: Any) -> dict[str, Any]:
    return {**item, "assets": {key: {"href": f"https://data.example.com/{key}", **members} for key in keys}}


def test_all_files_have_one_schema(api: StacApi, project: Path) -> None:
    api.put(scene(1, 1, gsd=10, none=None))
    api.put(with_assets(scene(1, 2, gsd=2.5, platform="one", none="two"), "nir", roles=["data"]))
    load_days(api, last="2024-01-02")
    export(api, project / "out")
    first, second = schemas(project / "out")
    assert first == second
    assert {field.name for field in first.field("assets").type} == {"red", "nir"}
    assert [file_of(project / "out", day)["gsd"].to_pylist() for day in (1, 2)] == [[10.0], [2.5]]
    assert first.field("none").type == pa.string()


def test_a_new_key_names_the_older_files_which_the_next_export_writes_again(
    api: StacApi, project: Path
) -> None:
    api.put(scene(1, 1))
    load_days(api)
    export(api, project / "out")
    api.put(with_assets(scene(1, 2), "nir"))
    load_days(api, first="2024-01-02")
    done = export(api, project / "out", SECOND, rewrites=False)
    assert [Path(path).name for path in done.outdated] == ["2024-01-01.parquet"]
    assert [len(schema.field("assets").type) for schema in schemas(project / "out")] == [1, 2]
    done = export(api, project / "out", Days(date(2024, 1, 2), date(2024, 1, 2)))
    assert not done.outdated and len(done.files) == 2
    first, second = schemas(project / "out")
    assert first == second
    assert not export(api, project / "out", SECOND, rewrites=False).outdated


def test_a_partition_without_the_others_keys_has_their_schema(api: StacApi, project: Path) -> None:
    api.put(with_assets(scene(1, 1, count=1), "red", "nir", roles=["data"]))
    load_days(api)
    export(api, project / "out")
    api.put(scene(1, 2, count=-1))
    load_days(api, first="2024-01-02")
    assert not export(api, project / "out", SECOND, rewrites=False).outdated
    first, second = schemas(project / "out")
    assert first == second


def test_keys_without_bound_are_a_map(api: StacApi, project: Path) -> None:
    for number in range(30):
        api.put(
            with_assets(scene(number), *(f"scene-{number}-{band}.tif" for band in "abcd"), roles=["data"])
        )
    load_days(api)
    done = export(api, project / "out")
    assert done.structure is not None and done.structure.assets_as == "map"
    assets = file_of(project / "out")["assets"]
    assert pa.types.is_map(assets.type)
    first = dict(assets[0].as_py())
    assert len(first) == 4 and all(asset["roles"] == ["data"] for asset in first.values())


def test_names_of_files_are_a_map_before_they_are_many(api: StacApi, project: Path) -> None:
    for number in range(20):
        api.put(with_assets(scene(number), f"scene-{number}.tif", "thumbnail"))
    load_days(api)
    done = export(api, project / "out")
    assert done.structure is not None and done.structure.assets_as == "map"


def test_a_map_stays_one_and_older_structs_are_named(api: StacApi, project: Path) -> None:
    api.put(scene(1, 1))
    load_days(api)
    export(api, project / "out")
    for number in range(120):
        api.put(with_assets(scene(number, 2), f"scene-{number}.tif"))
    load_days(api, first="2024-01-02")
    done = export(api, project / "out", SECOND, rewrites=False)
    assert [Path(path).name for path in done.outdated] == ["2024-01-01.parquet"]
    export(api, project / "out", FIRST)
    first, second = schemas(project / "out")
    assert first == second and pa.types.is_map(first.field("assets").type)
    assert dict(file_of(project / "out")["assets"][0].as_py())["red"]["roles"] == ["data"]


def test_an_object_with_more_members_than_a_struct_should_have_is_text(api: StacApi, project: Path) -> None:
    api.put(scene(1, counts={f"class-{number}": number for number in range(150)}, few={"a": 1}))
    load_days(api)
    assert export(api, project / "out").notes()["properties_as_text"] == "1: counts"
    table = file_of(project / "out")
    assert table["counts"][0].as_py().startswith('{"class-0":0,')
    assert table["few"][0].as_py() == {"a": 1}


def test_files_of_others_in_the_folder_are_written_again(api: StacApi, project: Path) -> None:
    api.put(scene(1, 1))
    api.put(scene(1, 2))
    load_days(api, last="2024-01-02")
    export(api, project / "out")
    pq.write_table(pa.table({"id": ["stranger"]}), project / "out/c1/2024-01-01.parquet")
    export(api, project / "out", Days(date(2024, 1, 2), date(2024, 1, 2)))
    assert ids_in(project / "out/c1/2024-01-01.parquet") == ["scene-1-1"]
