"""Boxes that cross the antimeridian, at APIs that refuse or misread them, and rows outside of a box."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stac_assets.cli.load import summary
from stac_assets.orchestration.metadata import partitions_metadata
from stac_assets.settings import Settings, read_settings
from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.reader import fetch_windows
from stac_assets.stac.boxes import parts, touch, within_longitudes
from stac_assets.stac.endpoints import ENDPOINTS
from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.asking import WINDOW, client, spooled
from stac_assets_tests.loads import catalog_for, ids, load_days
from stac_assets_tests.lying_api import LyingApi
from stac_assets_tests.stac_api import Document, RequestError, StacApi, make_item
from stac_assets_tests.stac_api_faults import Reply, Request

FIJI = [170, -20, -170, -10]
ACROSS: Sequence[Sequence[float]] = [
    FIJI,
    [170, -20, 190, -10],
    [-190, -20, -170, -10],
    [170, -20, -10, -170, -10, 900],
    [170.0, -20.0, -10, 190.0, -10.0, 900],
]
"""The same box, as people write it."""
INSIDE = {
    "west": [175, -15, 176, -14],
    "east": [-176, -15, -175, -14],
    "across": [179, -15, -179, -14],
    "beyond": [179, -15, 181, -14],
    "below": [-181, -15, -179, -14],
    "edge": [160, -15, 170, -14],
    "meridian": [180, -15, 180, -14],
    "world": [-180, -15, 180, -14],
}
OUTSIDE = {
    "africa": [20, -15, 21, -14],
    "north": [179, 10, -179, 11],
    "west of it": [160, -15, 169, -14],
    "east of it": [-169, -15, -168, -14],
}


@dataclass(kw_only=True, eq=False)
class Misreading(StacApi):
    """An API that knows no box across the antimeridian; what it does with one can be changed."""

    misreads: Literal["refused", "nothing", "everything", "swapped", "any"] = "refused"
    """`any`: it goes by no box at all."""

    def _page(self, request: Request, parameters: Document) -> Reply:
        box = [float(edge) for edge in parameters.get("bbox") or ()]
        if self.misreads == "any":
            parameters = {**parameters, "bbox": None}
        elif box:
            west, east = box[0], box[len(box) // 2]
            if west > east or not -180 <= min(west, east) <= max(west, east) <= 180:
                parameters = {**parameters, **self._misread(box)}
        return super()._page(request, parameters)

    def _misread(self, box: list[float]) -> Document:
        if self.misreads == "refused":
            raise RequestError(400, "bbox must have west below east")
        if self.misreads == "everything":
            return {"bbox": None}
        middle = len(box) // 2
        swapped = [box[middle], *box[1:middle], box[0], *box[middle + 1 :]]
        return {"bbox": [0, -90, 0, -90] if self.misreads == "nothing" else swapped}


def boxed(boxes: dict[str, Any], copies: int = 1) -> list[Document]:
    """Items with these boxes, so many of each."""
    return [
        make_item(f"{name} {n}", datetime=f"2024-01-01T{n % 24:02}:00:00Z", extra={"bbox": box})
        for n in range(copies)
        for name, box in boxes.items()
    ]


def names(boxes: Iterable[str], copies: int = 1) -> list[str]:
    return sorted(f"{name} {n}" for n in range(copies) for name in boxes)


def read(
    api: StacApi,
    folder: Path,
    box: Sequence[float] = FIJI,
    resource: str = "search",
    whole: int = 0,
    **options: Any,
) -> FetchedWindow:
    """What is fetched of 2024-01-01, with a box as a user sets it."""
    folder.mkdir(exist_ok=True)
    narrowing = Settings(bbox=tuple(box)).narrowing
    asking, endpoint = client(api, **{"page_size": 200, **options}), ENDPOINTS[resource]
    [window] = fetch_windows(asking, endpoint, [WINDOW], folder, narrowing=narrowing, largest_whole=whole)
    assert window.error is None
    return window


@pytest.mark.parametrize(
    ("box", "misreads"),
    [
        *((box, "refused") for box in ACROSS),
        *((FIJI, misreads) for misreads in ("nothing", "everything", "swapped")),
    ],
    ids=str,
)
def test_a_box_across_the_antimeridian_is_read_exactly(
    tmp_path: Path, box: Sequence[float], misreads: Any
) -> None:
    with Misreading(items=boxed({**INSIDE, **OUTSIDE}), misreads=misreads) as api:
        for resource in ("search", "collection_items"):
            assert spooled(read(api, tmp_path / resource, box, resource)) == names(INSIDE)
        api.post_search = False
        assert spooled(read(api, tmp_path / "get", box)) == names(INSIDE)


@pytest.mark.parametrize("number_matched", ["numberMatched", None])
@pytest.mark.parametrize("whole", [0, 100_000])
def test_paging_counts_and_duplicates_of_two_parts(tmp_path: Path, number_matched: Any, whole: int) -> None:
    """The count is that of all items of both parts: those that lie in both are counted twice by the API."""
    with Misreading(items=boxed({**INSIDE, **OUTSIDE}, 12), number_matched=number_matched) as api:
        window = read(api, tmp_path, page_size=7, whole=whole)
        figures = window.figures
        assert spooled(window) == names(INSIDE, 12)
        assert (figures.items, figures.duplicates, figures.items_outside_bbox) == (12 * len(INSIDE), 0, 0)
        assert figures.requests == len([one for one in api.requests if box_of(one)])
        if not whole:
            assert figures.number_matched == (12 * len(INSIDE) if number_matched else None)
        assert {tuple(box_of(request)) for request in api.requests if box_of(request)} == {
            (170, -20, 180, -10),
            (-180, -20, -170, -10),
        }


def box_of(request: Request) -> list[float]:
    """The box that a request asks for."""
    given: Any = request.body if request.method == "POST" else request.query
    box = (given or {}).get("bbox") or []
    return [float(edge) for edge in (box.split(",") if isinstance(box, str) else box)]


@pytest.mark.parametrize("whole", [0, 100_000])
def test_pages_of_either_part_that_lose_the_box_are_found_out(tmp_path: Path, whole: int) -> None:
    with LyingApi(items=boxed({**INSIDE, **OUTSIDE}, 24), loses=("bbox",)) as api:
        assert spooled(read(api, tmp_path, page_size=9, whole=whole)) == names(INSIDE, 24)


@pytest.mark.parametrize("limit", [10, 15])
def test_a_part_that_is_cut_off_is_not_taken_for_whole(tmp_path: Path, limit: int) -> None:
    """The API ends each answer at a limit, without a count and without a `next` link."""

    def cut(page: Document, request: Request) -> Document:
        return {**page, "links": []}

    east = {"east": INSIDE["east"]}
    with Misreading(items=boxed(east, 60), number_matched=None, max_limit=limit, on_page=cut) as api:
        assert spooled(read(api, tmp_path, whole=100_000)) == names(east, 60)


class ByDatetime(Misreading):
    """An API that finds no item by date that has an interval alone."""

    def _candidates(self, parameters: Document) -> Any:
        dated = bool(parameters.get("datetime"))
        return [
            it for it in super()._candidates(parameters) if not (dated and b'"datetime": null' in it.text)
        ]


@pytest.mark.parametrize("counts", [True, False])
def test_items_that_no_date_finds_are_found_in_either_part(tmp_path: Path, counts: bool) -> None:
    """Where the API counts, the counts tell; otherwise what its first pages show."""
    hidden = [
        make_item(
            f"hidden {name}", start="2024-01-01T01:00:00Z", end="2024-01-01T02:00:00Z", extra={"bbox": box}
        )
        for name, box in INSIDE.items()
    ]
    items = boxed(INSIDE, 30) + hidden if counts else hidden + boxed(INSIDE, 30)
    with ByDatetime(items=items, number_matched="numberMatched" if counts else None) as api:
        window = read(api, tmp_path, page_size=20, whole=100_000)
    assert spooled(window) == sorted([*names(INSIDE, 30), *(f"hidden {name}" for name in INSIDE)])


@pytest.mark.parametrize("box", [[-180, -90, 180, 90], [0, -90, 360, 90], [-200, -90, 170, 90]])
def test_the_whole_world_is_one_box(tmp_path: Path, box: list[float]) -> None:
    with Misreading(items=boxed({**INSIDE, **OUTSIDE})) as api:
        assert spooled(read(api, tmp_path, box)) == names([*INSIDE, *OUTSIDE])
        assert {tuple(box_of(one)) for one in api.requests if box_of(one)} == {(-180, -90, 180, 90)}


@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_rows_outside_of_the_box_are_kept_counted_and_told(project: Path, resource: str) -> None:
    """The API goes by something else than the boxes of its items."""
    with Misreading(items=boxed({**INSIDE, **OUTSIDE}, 3), misreads="any") as api:
        result = load_days(api, resource, bbox=FIJI)
        assert ids(resource) == names([*INSIDE, *OUTSIDE], 3)
        count = 3 * len(OUTSIDE)
        assert result.figures.items_outside_bbox == count
        told = dict(zip(*(column.cells for column in summary(result).columns), strict=True))
        assert told["outside of the bbox, kept"] == str(count)
        catalog = catalog_for(api, bbox=FIJI)
        [(_, metadata)] = partitions_metadata(result, catalog)
        assert metadata["items_outside_bbox"] == count
        result = load_days(api, resource)
        assert result.figures.items_outside_bbox == 0
        [(_, metadata)] = partitions_metadata(result, catalog_for(api))
        assert "items_outside_bbox" not in metadata


def test_an_item_without_a_box_lies_in_no_place(project: Path) -> None:
    odd: list[Any] = [None, [], [1, 2, 3], ["a", 0, 0, 0]]
    with Misreading(items=boxed({str(box): box for box in odd}), misreads="any") as api:
        result = load_days(api, bbox=FIJI)
    assert result.figures.items == len(odd) and result.figures.items_outside_bbox == 0


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *((box, (170, -20, -170, -10)) for box in ACROSS if len(box) == 4),
        ([190, -20, 200, -10], (-170, -20, -160, -10)),
        ([-200, 0, 0, 1], (160, 0, 0, 1)),
        ([0, 0, 200, 1], (0, 0, -160, 1)),
        ([200, 0, 1, 350, 1, 2], (-160, 0, 1, -10, 1, 2)),
        ([0, 0, 360, 1], (-180, 0, 180, 1)),
        ([-180, 0, 180, 1], (-180, 0, 180, 1)),
        ([179.5, 0, 180.25, 1], (179.5, 0, -179.75, 1)),
        ([10, 0, 10, 0], (10, 0, 10, 0)),
    ],
)
def test_a_box_is_written_with_longitudes_that_every_api_knows(
    project: Path, given: Sequence[float], meant: tuple[float, ...]
) -> None:
    assert Settings(bbox=tuple(given)).bbox == meant
    assert read_settings(bbox=",".join(map(str, given))).bbox == meant


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ([0, 10, 1, 5], "south <= north"),
        ([0, -91, 1, 5], "-90 <= south"),
        ([0, 0, 361, 5], "up to 360"),
        ([-400, 0, 10, 5], "up to 360"),
        ([0, 0, 10, 1, 1, 5], "height"),
        ([0, 0, 1, 1, 1], "4 numbers: west, south, east, north; or 6"),
    ],
)
def test_a_box_that_makes_no_sense(project: Path, box: list[float], told: str) -> None:
    with pytest.raises(ConfigurationError, match="bbox") as refused:
        read_settings(bbox=box)
    assert told in str(refused.value)


longitudes = st.tuples(st.integers(-360, 360), st.integers(-360, 360))


def meridians(west: int, east: int) -> set[int]:
    """The whole degrees that lie in a box, from 0 to 359."""
    return {degree % 360 for degree in range(west, (east if east >= west else east + 360) + 1)}


@given(longitudes, longitudes)
def test_boxes_touch_where_they_have_a_meridian_in_common(one: Any, other: Any) -> None:
    (west, east), (xmin, xmax) = one, other
    if east < west - 360 or xmax < xmin - 360:
        return  # it is no box
    in_common = bool(meridians(*one) & meridians(*other))
    assert touch((west, 0, east, 1), (xmin, 0, xmax, 1)) == in_common
    assert not touch((west, 0, east, 1), (xmin, 2, xmax, 3))


@given(longitudes)
def test_parts_are_the_whole_and_in_order(edges: tuple[int, int]) -> None:
    west, east = edges
    if not west <= east:
        return
    found = parts(within_longitudes((west, 0, east, 1)))
    assert all(-180 <= part[0] <= part[2] <= 180 for part in found)
    covered = set[int]().union(*(meridians(int(part[0]), int(part[2])) for part in found))
    assert covered == meridians(west, east)
