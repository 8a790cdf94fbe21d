"""Bounding boxes: as four numbers, as what every API understands, and whether two of them touch.

A box whose west is greater than its east crosses the antimeridian (RFC 7946, section 5.2). Some APIs refuse
such a box, others find nothing by it, or everything; so it is asked for in the two parts that lie beside the
antimeridian.
"""

from collections.abc import Sequence

import msgspec

BOX = ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax")
FULL_CIRCLE = 360
_decode_box = msgspec.json.Decoder(list[float]).decode

Box = tuple[float, ...]
"""West, south, east, north; or with the lowest height after south and the highest after north."""


def bbox_columns(bbox: bytes) -> dict[str, float | None]:
    """`bbox_xmin` … `bbox_ymax` of the JSON text of a 2D or 3D box (RFC 7946, section 5); else nulls."""
    try:
        corners = _decode_box(bbox)
    except msgspec.DecodeError:
        corners = []
    if len(corners) == 6:
        del corners[2::3]
    if len(corners) != 4 or min(corners) < -1e300 or max(corners) > 1e300:
        return dict.fromkeys(BOX)
    xmin, ymin, xmax, ymax = corners
    return {"bbox_xmin": xmin, "bbox_ymin": ymin, "bbox_xmax": xmax, "bbox_ymax": ymax}


def within_longitudes(box: Box) -> Box:
    """The same box with longitudes from -180 to 180, of which the western one may then be the greater.

    A box of a full circle or more goes from -180 to 180.

    Args:
        box: with longitudes from -360 to 360.
    """
    middle = len(box) // 2
    west, east = box[0], box[middle]
    if east - west >= FULL_CIRCLE:
        west, east = -180, 180
    return _with_edges(box, _shifted(west), _shifted(east))


def parts(box: Box) -> tuple[Box, ...]:
    """The box, or the two parts of one that crosses the antimeridian: up to it, and from it on."""
    west, east = box[0], box[len(box) // 2]
    return (box,) if west <= east else (_with_edges(box, west, 180), _with_edges(box, -180, east))


def around(box: Box) -> Box:
    """A box that holds the given one and does not cross the antimeridian."""
    return box if box[0] <= box[len(box) // 2] else _with_edges(box, -180, 180)


def touch(one: Sequence[float], other: Sequence[float], margin: float = 0.0) -> bool:
    """Whether two boxes touch, or lie no further apart than `margin` degrees.

    Either may cross the antimeridian, by a western edge that is the greater or by longitudes beyond 180.

    Args:
        one: west, south, east, north.
        other: likewise.
        margin: in degrees.
    """
    west, south, east, north = one
    xmin, ymin, xmax, ymax = other
    if south > ymax + margin or ymin > north + margin:
        return False
    east, xmax = (end if begin <= end else end + FULL_CIRCLE for begin, end in ((west, east), (xmin, xmax)))
    turns = range(-2 * FULL_CIRCLE, 2 * FULL_CIRCLE + 1, FULL_CIRCLE)
    return any(west <= xmax + turn + margin and xmin + turn <= east + margin for turn in turns)


def flat(box: Box) -> Box:
    """A box without its heights."""
    return box if len(box) == 4 else (*box[:2], *box[3:5])


def _with_edges(box: Box, west: float, east: float) -> Box:
    middle = len(box) // 2
    return (west, *box[1:middle], east, *box[middle + 1 :])


def _shifted(longitude: float) -> float:
    if longitude > 180:
        return longitude - FULL_CIRCLE
    return longitude + FULL_CIRCLE if longitude < -180 else longitude
