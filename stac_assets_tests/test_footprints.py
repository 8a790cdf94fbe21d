"""The map of a partition: it shows the part of the world where its items are, whatever part that is."""

import re
from collections.abc import Sequence
from math import cos, inf, isclose, nan, radians
from xml.etree import ElementTree

import pytest
import shapely

from stac_assets.globe.outline import outline
from stac_assets.orchestration.pictures import inset
from stac_assets.orchestration.pictures.footprints import (
    HEIGHT,
    MAP_HEIGHT,
    MAP_LEFT,
    MAP_WIDTH,
    TOP,
    WIDTH,
    WORLD_HEIGHT,
    footprints,
)
from stac_assets_tests.test_metadata import SVG, drawn, rings

Box = tuple[float, float, float, float]

TILE: Box = (8.9, 47.8, 10.4, 48.8)
REGION: list[Box] = [(x, y, x + 1.4, y + 1.0) for x in range(-10, 20, 2) for y in range(38, 55, 3)]
ACROSS: list[Box] = [(178.2, -18, 179.4, -17), (179.2, -17.5, -179.4, -16.5), (-179.5, -18, -178.3, -17)]
ARCTIC: list[Box] = [(x, 71.0, x + 8.0, 72.5) for x in range(-170, 170, 40)]
KINDS: dict[str, list[Box]] = {
    "a tile": [TILE],
    "a region": REGION,
    "across the antimeridian": ACROSS,
    "on the Pacific, eastwards": [(x, y, x + 3, y + 3) for x in (150, 170, 190) for y in (-40, 0)],
    "a point": [(13.4, 52.52, 13.4, 52.52)],
    "pictures of a drone": [(13.4 + n / 500, 52.52, 13.402 + n / 500, 52.522) for n in range(5)],
    "far in the north": [(15, 78, 20, 79), (18, 79, 24, 80)],
    "long and low": [(-60, 0, 60, 1)],
    "narrow and high": [(10, -40, 11, 45)],
}
"""Where items may be that are seen on a map of a part of the world."""

FRAME = (MAP_LEFT, TOP, MAP_LEFT + MAP_WIDTH, TOP + MAP_HEIGHT)


def picture_of(boxes: Sequence[Sequence[float]], total: int = 0) -> tuple[ElementTree.Element, str]:
    """The picture, and the words below it."""
    found = footprints(boxes, total or len(boxes))
    assert found is not None and found.value is not None
    return drawn(found.value), found.value.rpartition("\n")[2]


def rectangles(picture: ElementTree.Element) -> list[Box]:
    """Left, top, right and bottom of the boxes of items, in pixels."""
    path = picture.findall(f"{SVG}path")[-1].attrib["d"]
    found = re.findall(r"M([^,]+),([^h]+)h([^v]+)v([^h]+)h", path)
    return [(x, y, x + w, y + h) for x, y, w, h in (map(float, each) for each in found)]


def extent(boxes: Sequence[Box]) -> Box:
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def marks(picture: ElementTree.Element) -> list[Box]:
    """The boxes on the small world: west, south, east, north in degrees."""
    group = picture.find(f"{SVG}g[@transform]")
    if group is None:
        return []
    _, *found = (
        [float(r.attrib[n]) for n in ("x", "y", "width", "height")] for r in group.iter(f"{SVG}rect")
    )
    x, y = 360 / inset.WIDTH, 180 / inset.HEIGHT
    return [(a * x - 180, 90 - (b + h) * y, (a + w) * x - 180, 90 - b * y) for a, b, w, h in found]


@pytest.mark.parametrize("kind", KINDS)
def test_the_map_is_as_large_as_what_it_shows(kind: str) -> None:
    picture, _ = picture_of(KINDS[kind])
    shown = rectangles(picture)
    assert len(shown) == len(KINDS[kind])
    left, top, right, bottom = extent(shown)
    assert FRAME[0] < left and FRAME[1] < top and right < FRAME[2] and bottom < FRAME[3]
    assert isclose(left + right, FRAME[0] + FRAME[2], abs_tol=2)
    assert isclose(top + bottom, FRAME[1] + FRAME[3], abs_tol=2)
    if kind != "a point":
        across, high = (right - left) / MAP_WIDTH, (bottom - top) / MAP_HEIGHT
        assert max(across, high) > 0.2
    labels = [text.text or "" for text in picture.iter(f"{SVG}text")]
    assert len(set(labels)) + (labels.count("0°") == 2) == len(labels) >= 3
    assert all("°" in label for label in labels)
    assert picture.attrib["height"] == str(HEIGHT)


def test_what_is_around_a_single_item_is_seen_too() -> None:
    ((left, top, right, bottom),) = rectangles(picture_of([TILE])[0])
    assert right - left < MAP_WIDTH / 2 and bottom - top < MAP_HEIGHT / 2


@pytest.mark.parametrize("box", [TILE, (20.0, 0.0, 21.0, 1.0), (18.0, -79.0, 24.0, -78.0)])
def test_a_degree_of_longitude_is_as_long_as_it_is_there(box: Box) -> None:
    ((left, top, right, bottom),) = rectangles(picture_of([box])[0])
    ratio = (box[2] - box[0]) / (box[3] - box[1]) * cos(radians((box[1] + box[3]) / 2))
    assert isclose((right - left) / (bottom - top), ratio, rel_tol=0.02)


def test_the_small_world_has_a_mark_where_the_map_is() -> None:
    ((west, south, east, north),) = marks(picture_of(REGION)[0])
    assert west < -10 and south < 38 and east > 19 and north > 55
    assert east - west < 60 and north - south < 30
    ((west, south, east, north),) = marks(picture_of([TILE])[0])
    assert west < TILE[0] and east > TILE[2] and east - west < 20, "too small to be seen, or too large"


def test_items_on_both_sides_of_the_antimeridian_are_side_by_side() -> None:
    picture, words = picture_of(ACROSS)
    boxes = rectangles(picture)
    assert boxes[0][0] < boxes[1][0] < boxes[2][0] < boxes[1][2]
    assert words == "Footprints of 3 items, 18.0°S to 16.5°S, 178.2°E to 178.3°W"
    one, other = marks(picture)
    assert isclose(one[2], 180, abs_tol=0.1) and isclose(other[0], -180, abs_tol=0.1)
    counted_on = [  # longitudes may be counted from 0 to 360
        (w % 360, s, e % 360, n) for w, s, e, n in ACROSS
    ]
    assert rectangles(picture_of(counted_on)[0]) == boxes


@pytest.mark.parametrize(
    "boxes",
    [
        [(x, y, x + 1, y + 1) for x in range(-180, 180, 30) for y in (-60, 0, 60)],
        [(-180, -90, 180, 90)],
        [(0, -90, 360, 90)],
        [(x / 10 - 180, -95.0, x / 10 - 179, 95.0) for x in range(3000)],
        [TILE, (-180.0, -90.0, 180.0, 90.0)],
    ],
)
def test_items_all_over_the_world_show_the_world(boxes: list[Box]) -> None:
    picture, words = picture_of(boxes, 5000)
    assert picture.attrib["height"] == str(WORLD_HEIGHT) and not marks(picture)
    left, top, right, bottom = extent(rectangles(picture))
    assert left > -2 and top > -2 and right < WIDTH + 2 and bottom < WORLD_HEIGHT + 2
    assert "of 5000 items" in words and "°" not in words


def test_an_item_beyond_the_edge_of_the_world_is_in_two_parts() -> None:
    picture, _ = picture_of([(x, 0, x + 1, 1) for x in range(-160, 160, 20)] + [(179, 0, -179, 1)])
    *_, one, other = rectangles(picture)
    assert isclose(one[2], WIDTH, abs_tol=2) and isclose(other[0], 0, abs_tol=2)


@pytest.mark.parametrize("pole", [1, -1])
def test_items_around_a_pole_are_seen_from_above_it(pole: int) -> None:
    boxes = [(w, min(s * pole, n * pole), e, max(s * pole, n * pole)) for w, s, e, n in ARCTIC]
    picture, words = picture_of(boxes)
    assert rings(picture) == len(boxes)
    points = [tuple(map(float, p)) for p in re.findall(r"([\d.]+),([\d.]+)", _last_path(picture))]
    middle = FRAME[0] + MAP_HEIGHT / 2, (FRAME[1] + FRAME[3]) / 2
    distances = [((x - middle[0]) ** 2 + (y - middle[1]) ** 2) ** 0.5 for x, y in points]
    assert min(distances) > MAP_HEIGHT / 3 and max(distances) < MAP_HEIGHT / 2
    assert words == f"Footprints of 9 items, {'71.0°N to 72.5°N' if pole > 0 else '72.5°S to 71.0°S'}"
    ((west, south, east, north),) = marks(picture)
    assert (west, east) == (-180, 180)
    assert isclose(north if pole > 0 else -south, 90, abs_tol=0.1) and south * north > 0


@pytest.mark.parametrize("pole", [1, -1])
def test_greenwich_is_below_the_north_pole_and_above_the_south_pole(pole: int) -> None:
    x, y = FRAME[0] + MAP_HEIGHT / 2, (FRAME[1] + FRAME[3]) / 2
    around = [(w, 80.0 * pole, w, 80.0 * pole) for w in (0.0, 90.0, 180.0)]
    path = _last_path(picture_of(around)[0]).split("Z")[:3]
    corners = [tuple(map(float, re.findall(r"[\d.]+", each)[:2])) for each in path]
    assert isclose(corners[0][0], x, abs_tol=2) and (corners[0][1] - y) * pole > 50
    assert corners[1][0] - x > 50 and isclose(corners[1][1], y, abs_tol=2)
    assert (y - corners[2][1]) * pole > 50


def test_an_item_at_the_pole_is_seen() -> None:
    assert rings(picture_of([(-180, 89.5, 180, 90)])[0]) == 1
    at = [
        tuple(map(float, p))
        for p in re.findall(r"([\d.]+),([\d.]+)", _last_path(picture_of([(0, 90, 0, 90)])[0]))
    ]
    assert max(x for x, _ in at) - min(x for x, _ in at) > 2


def _last_path(picture: ElementTree.Element) -> str:
    return picture.findall(f"{SVG}path")[-1].attrib["d"]


@pytest.mark.parametrize(
    "odd", [(500_000, 5_000_000, 600_000, 5_100_000), (nan, 0, 1, 1), (0, 0, inf, 1), (0, 95, 1, 96)]
)
def test_what_is_not_on_the_globe_is_left_out(odd: Box) -> None:
    assert footprints([odd], 1) is None
    picture, words = picture_of([odd, TILE])
    assert rectangles(picture) == rectangles(picture_of([TILE])[0])
    assert words.startswith("Footprints of 1 of 2 items, 47.8°N")


def test_without_items_there_is_no_picture() -> None:
    assert footprints([], 0) is None


def test_a_box_whose_south_is_north_is_where_it_should_be() -> None:
    west, south, east, north = TILE
    assert rectangles(picture_of([(west, north, east, south)])[0]) == rectangles(picture_of([TILE])[0])


@pytest.mark.parametrize(
    ("boxes", "most"),
    [
        ([TILE], 2_600),
        (ACROSS, 3_000),
        (REGION, 8_000),
        ([(-180, -90, 180, 90)], 6_000),
        ([(x / 10 - 180, -95.0, x / 10 - 179, 95.0) for x in range(3000)], 20_000),
        ([(x, 70.0, x + 1, 71.0) for x in range(-180, 180)], 30_000),
    ],
)
def test_a_map_stays_small(boxes: list[Box], most: int) -> None:
    found = footprints(boxes, 5000)
    assert found is not None and found.value is not None
    assert len(found.value) < most
    assert rings(drawn(found.value)) <= 300


@pytest.mark.parametrize(
    ("longitude", "latitude", "is_land"),
    [
        *(
            (13.4, 52.5, True),
            (-100, 40, True),
            (134, -25, True),
            (100, -85, True),
            (0, -90, True),
            (-45, 75, True),
        ),
        *((-30, 40, False), (34, 43, False), (0, 89, False), (-140, 0, False), (5, 40, False)),
    ],
)
def test_land_is_where_it_is(longitude: float, latitude: float, is_land: bool) -> None:
    assert shapely.intersects_xy(outline(), longitude, latitude) == is_land


PLACES = ((-123, 37), (-52, -22), (10, 47), (35, 30), (102, 14), (170, -44))


@pytest.mark.parametrize("count", [3, 6])
def test_a_few_places_all_over_the_world_are_shown_from_near_too(count: int) -> None:
    boxes = [(w + n * 1.4, s, w + n * 1.4 + 1.4, s + 1.0) for w, s in PLACES[-count:] for n in range(4)]
    picture, words = picture_of(boxes)
    assert words == f"Footprints of {4 * count} items, in {count} places"
    *near, world = (path.attrib["d"] for path in picture.findall(f"{SVG}path") if "stroke" in path.attrib)
    assert [path.count("Z") for path in near] == [4] * count and world.count("Z") == 4 * count
    widths = [float(width) for path in near for width in re.findall(r"h(\d[\d.]*)", path)]
    assert min(widths) > 5 * max(float(width) for width in re.findall(r"h(\d[\d.]*)", world))
    labels = [text.text or "" for text in picture.iter(f"{SVG}text")]
    assert {str(number) for number in range(1, count + 1)} < set(labels)
    assert f"{count}: 43.5°S 172.8°E" in labels, "places are numbered from west to east"
    assert int(picture.attrib["height"]) > WORLD_HEIGHT


@pytest.mark.parametrize(
    "more", [[(w + 15, s + 15, w + 16, s + 16) for w, s in PLACES], [(60, -10, 125, 0)], [(0, 89, 1, 90)]]
)
def test_many_large_or_polar_places_are_not(more: list[Box]) -> None:
    picture, words = picture_of([(w, s, w + 1.4, s + 1.0) for w, s in PLACES[1:]] + more)
    assert "places" not in words and picture.attrib["height"] == str(WORLD_HEIGHT)
