"""Which files an export writes, and when they go: a file for each partition, replaced as a whole."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stac_assets.export import staged
from stac_assets.export.exporting import Days
from stac_assets.stac.windows import Window
from stac_assets_tests.geoparquet.exporting import export, footer_of, ids_in, names, scene
from stac_assets_tests.loads import load_catalog, load_days
from stac_assets_tests.stac_api import StacApi, make_collection


def day(number: int) -> Window:
    return Window("c1", date(2024, 1, number), date(2024, 1, number + 1))


def loaded(api: StacApi, *days: int) -> StacApi:
    for each in days:
        for number in range(3):
            api.put(scene(number, each, longitude=10.0 * number))
    load_days(api, last="2024-01-09")
    return api


def test_a_file_for_each_partition(api: StacApi, project: Path) -> None:
    done = export(loaded(api, 1, 2, 4), project / "out")
    assert names(project / "out") == ["2024-01-01.parquet", "2024-01-02.parquet", "2024-01-04.parquet"]
    assert sorted(ids_in(project / "out/c1/2024-01-02.parquet")) == ["scene-2-0", "scene-2-1", "scene-2-2"]
    assert done.items == 9 and not done.removed and not done.outdated


def test_only_the_days_that_are_asked_for(api: StacApi, project: Path) -> None:
    loaded(api, 1, 2, 4)
    export(api, project / "out", Days(date(2024, 1, 2), date(2024, 1, 3)))
    assert names(project / "out") == ["2024-01-02.parquet"]


def test_a_partition_is_replaced_as_a_whole_and_gone_when_it_is_empty(api: StacApi, project: Path) -> None:
    export(loaded(api, 1, 2), project / "out")
    for number in range(3):
        api.remove("c1", f"scene-1-{number}")
    api.remove("c1", "scene-2-0")
    load_days(api, last="2024-01-02")
    done = export(api, project / "out")
    assert names(project / "out") == ["2024-01-02.parquet"]
    assert sorted(ids_in(project / "out/c1/2024-01-02.parquet")) == ["scene-2-1", "scene-2-2"]
    assert [Path(path).name for path in done.removed] == ["2024-01-01.parquet"]


def test_other_files_stay(api: StacApi, project: Path) -> None:
    export(loaded(api, 1, 2), project / "out")
    (project / "out/c1/notes.txt").write_text("mine")
    (project / "out/other.parquet").write_text("mine")
    api.remove("c1", "scene-1-0")
    load_days(api)
    before = (project / "out/c1/2024-01-02.parquet").stat().st_mtime_ns
    export(api, project / "out", [day(1)])
    assert names(project / "out") == ["2024-01-01.parquet", "2024-01-02.parquet", "notes.txt"]
    assert (project / "out/c1/2024-01-02.parquet").stat().st_mtime_ns == before
    assert len(ids_in(project / "out/c1/2024-01-01.parquet")) == 2


def test_files_whose_names_tell_no_days_stay(api: StacApi, project: Path) -> None:
    others = ["2024-01-05_2024-01-02.parquet", "2024-13-01.parquet"]
    (project / "out/c1").mkdir(parents=True)
    for name in others:
        (project / "out/c1" / name).write_text("mine")
    export(loaded(api, 1), project / "out")
    assert names(project / "out") == ["2024-01-01.parquet", *others]


@pytest.mark.parametrize("content", ["no Parquet file", "a table of others", "another collection"])
def test_one_file_that_holds_something_else_is_not_removed(api: StacApi, project: Path, content: str) -> None:
    file = project / "all.parquet"
    if content == "another collection":
        export(loaded(api, 1), file)
    elif content == "a table of others":
        pq.write_table(pa.table({"collection": ["c2"]}), file)
    else:
        file.write_text(content)
    before = file.read_bytes()
    done = export(api, file, collection="c2")
    assert not done.removed and not done.files and file.read_bytes() == before


def test_a_collection_in_one_file(api: StacApi, project: Path) -> None:
    loaded(api, 1, 2, 4)
    done = export(api, project / "all.parquet")
    assert len(ids_in(project / "all.parquet")) == done.items == 9
    for each in (1, 2, 4):
        for number in range(3):
            api.remove("c1", f"scene-{each}-{number}")
    load_days(api, last="2024-01-09")
    done = export(api, project / "all.parquet")
    assert not (project / "all.parquet").exists() and done.removed and not done.files


def test_files_of_another_granularity_leave_nothing_twice(api: StacApi, project: Path) -> None:
    export(loaded(api, 1, 2, 9), project / "out")
    done = export(api, project / "out", [day(1)], granularity="daily")
    assert len(done.files) == 1
    export(api, project / "out", Days(date(2024, 1, 1), date(2024, 1, 1)), granularity="monthly")
    assert names(project / "out") == ["2024-01-01_2024-01-31.parquet"]
    assert len(ids_in(project / "out/c1/2024-01-01_2024-01-31.parquet")) == 9
    export(api, project / "out", [day(2)], granularity="daily")
    assert names(project / "out") == ["2024-01-01.parquet", "2024-01-02.parquet", "2024-01-09.parquet"]


def test_nothing_is_written_where_there_is_nothing(api: StacApi, project: Path) -> None:
    done = export(api, project / "out")
    assert not done.files and not done.removed and not (project / "out").exists()


@pytest.mark.parametrize("portion", [8, 2048])
def test_rows_near_on_earth_are_near_in_the_file(
    api: StacApi, project: Path, portion: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a file has more rows than are sorted at a time."""
    monkeypatch.setattr(staged, "ROWS", portion)
    monkeypatch.setattr(staged, "MOST_SORTED", 1)
    for number in range(40):
        api.put(scene(number, longitude=(number * 37) % 160 - 80.0))
    load_days(api)
    export(api, project / "out")
    boxes = pq.read_table(project / "out/c1/2024-01-01.parquet", columns=["bbox"])["bbox"].to_pylist()
    west = [box["xmin"] for box in boxes]
    assert west == sorted(west) and len(west) == 40


def test_row_groups_tell_their_boxes_and_times(api: StacApi, project: Path) -> None:
    export(loaded(api, 1), project / "out")
    group = pq.read_metadata(project / "out/c1/2024-01-01.parquet").row_group(0)
    found = {group.column(place).path_in_schema: group.column(place) for place in range(group.num_columns)}
    assert (found["bbox.xmin"].statistics.min, found["bbox.xmax"].statistics.max) == (0.0, 21.0)
    assert found["datetime"].statistics.has_min_max and found["id"].statistics.has_min_max


def test_the_footer_has_the_collection_and_the_extent(api: StacApi, project: Path) -> None:
    api.collections.append({**make_collection("c1"), "title": "One"})
    loaded(api, 1)
    assert not export(api, project / "out").has_collection
    load_catalog(api, "collections")
    assert export(api, project / "out").has_collection
    footer = footer_of(project / "out/c1/2024-01-01.parquet")
    assert footer["stac-geoparquet"]["version"] == "1.1.0"
    assert footer["stac-geoparquet"]["collections"]["c1"]["title"] == "One"
    column = footer["geo"]["columns"]["geometry"]
    assert footer["geo"]["version"] == "1.1.0" and column["bbox"] == [0, 52, 21, 53]
    assert column["geometry_types"] == ["Polygon"] and column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
