"""Bounding boxes as four numbers."""

import msgspec

BOX = ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax")
_decode_box = msgspec.json.Decoder(list[float]).decode


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
