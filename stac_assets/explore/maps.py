"""A map of footprints, on a rough outline of the land that is our own: no tiles, no token, no network."""

from __future__ import annotations

from math import cos, radians
from typing import Any

import altair
import pandas as pd

from stac_assets.explore.charts import shown
from stac_assets.explore.footprints import Footprints, land
from stac_assets.globe.frame import WORLD, Frame
from stac_assets.globe.outline import LEAST_DEGREES

alt: Any = altair

WIDTH, HEIGHT = 640, 400
SMALL = 220
"""The width of the world beside a map of a part of it."""
WATER, LAND, GRID, MARK = "#eef3f7", "#d3dbd0", "#c5d0d8", "#d9480f"


def footprint_map(found: Footprints) -> Any:
    """Footprints where they are, to be dragged and zoomed; and where that is in the world.

    Args:
        found: at least one footprint.
    """
    frame = found.frame
    if frame == WORLD:
        whole = _map(found, frame, WIDTH + SMALL, (WIDTH + SMALL) / 2)
        return shown(whole, fill=WATER, stroke=GRID)
    stretched = 1 / max(cos(radians((frame.south + frame.north) / 2)), 0.02)
    height = min(HEIGHT, WIDTH * frame.height * stretched / frame.width)
    beside = alt.hconcat(_map(found, frame, WIDTH, height), _world(frame), spacing=20)
    return shown(beside, fill=WATER, stroke=GRID)


def _map(found: Footprints, frame: Frame, width: float, height: float) -> Any:
    x = alt.X(
        "longitude:Q",
        scale=alt.Scale(domain=[frame.west, frame.east], nice=False, zero=False),
        title=None,
        axis=_axis("EW", "((datum.value + 540) % 360) - 180"),
    )
    y = alt.Y(
        "latitude:Q",
        scale=alt.Scale(domain=[frame.south, frame.north], nice=False, zero=False),
        title=None,
        axis=_axis("NS", "datum.value"),
    )
    about = [alt.Tooltip("id:N", title="item"), alt.Tooltip("time:N", title="time")]
    base = alt.Chart(found.corners).encode(x=x, y=y, detail="ring:N", tooltip=about)
    areas = base.transform_filter("datum.kind == 'area'").encode(order="place:Q")
    areas = areas.mark_line(
        filled=True,
        fill=MARK,
        fillOpacity=0.18,
        stroke=MARK,
        strokeWidth=0.8,
        clip=True,
        interpolate="linear",
    )
    lines = base.transform_filter("datum.kind == 'line'").encode(order="place:Q")
    points = base.transform_filter("datum.kind == 'point'").mark_point(color=MARK, filled=True, clip=True)
    layers: list[Any] = []
    if max(frame.width, frame.height) >= LEAST_DEGREES:
        layers += _land(frame, x, y)
    kinds = set(found.corners["kind"])
    layers += [areas] if "area" in kinds else []
    layers += [lines.mark_line(color=MARK, clip=True)] if "line" in kinds else []
    layers += [points] if "point" in kinds else []
    drawn = alt.layer(*layers).properties(width=width, height=height)
    return drawn.add_params(alt.selection_interval(bind="scales", name="view"))


def _axis(letters: str, value: str) -> Any:
    """Degrees as `47.5°N`."""
    after, before = letters
    label = f"format(abs({value}), '~g') + '°' + ({value} > 0 ? '{after}' : {value} < 0 ? '{before}' : '')"
    return alt.Axis(labelExpr=label, gridColor=GRID, tickCount=6, domain=False)


def _land(frame: Frame, x: Any, y: Any) -> Any:
    rings = land(frame)
    base = alt.Chart(rings).encode(x=x, y=y, detail="ring:N", order="place:Q")
    ground = base.transform_filter("!datum.water").mark_line(filled=True, fill=LAND, strokeWidth=0, clip=True)
    lakes = base.transform_filter("datum.water").mark_line(filled=True, fill=WATER, strokeWidth=0, clip=True)
    return [ground, lakes]


def _world(part: Frame) -> Any:
    """The world, and which part of it a map shows, which may be at both its ends."""
    longitudes = alt.Scale(domain=[-180, 180], nice=False)
    x = alt.X("longitude:Q", scale=longitudes, axis=None)
    y = alt.Y("latitude:Q", scale=alt.Scale(domain=[-90, 90], nice=False), axis=None)
    wide, high = max(part.width, 8.0), max(part.height, 8.0)
    west, south = (part.west + part.east - wide) / 2, (part.south + part.north - high) / 2
    places = [west] if west + wide <= WORLD.east else [west, west - 360]
    marks = pd.DataFrame(
        [{"west": at, "east": at + wide, "south": south, "north": south + high} for at in places]
    )
    mark = (
        alt.Chart(marks)
        .mark_rect(fill=MARK, fillOpacity=0.25, stroke=MARK, clip=True)
        .encode(
            x=alt.X("west:Q", scale=longitudes, axis=None),
            x2="east:Q",
            y=alt.Y("south:Q", axis=None),
            y2="north:Q",
        )
    )
    return alt.layer(*_land(WORLD, x, y), mark).properties(width=SMALL, height=SMALL / 2)
