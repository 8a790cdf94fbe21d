"""SVG as a picture inside Markdown: the UI shows it, and loads nothing from elsewhere."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

import dagster as dg

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]
"""Left, top, width, height."""


def picture(width: int, height: int, elements: Iterable[str], words: str) -> dg.MarkdownMetadataValue:
    """The elements as one picture of so many pixels; `words` say what is to be seen."""
    body = "".join(elements)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">{body}</svg>'
    )
    return dg.MetadataValue.md(
        f"![{words}](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})\n\n{words}"
    )


def rings(rings: Iterable[Sequence[Point]], **style: str) -> str:
    """Closed lines as one path; coordinates are pixels."""
    path = "".join("M" + "L".join(f"{x:.4g},{y:.4g}" for x, y in ring) + "Z" for ring in rings)
    return f'<path d="{path}"{_attributes(style)}/>'


def boxes(rectangles: Iterable[Rectangle], **style: str) -> str:
    """Rectangles as one path, which is much shorter than an element for each."""
    path = "".join(f"M{x:.4g},{y:.4g}h{w:.3g}v{h:.3g}h-{w:.3g}Z" for x, y, w, h in rectangles)
    return f'<path d="{path}"{_attributes(style)}/>'


def outlines(rings: Iterable[Sequence[Point]], **style: str) -> str:
    """Closed lines through whole pixels, as short as SVG can write them, for what is in every picture.

    Each point is told by the way from the one before it, unless it is the same pixel, and a minus sign
    separates numbers as well.
    """
    path = ""
    for ring in rings:
        pixels = [pixel for pixel, _ in groupby((round(x), round(y)) for x, y in ring)]
        steps = [f"{x - a} {y - b}" for (a, b), (x, y) in pairwise(pixels)]
        path += f"M{pixels[0][0]} {pixels[0][1]}l{' '.join(steps)}z"
    return f'<path d="{path.replace(" -", "-")}"{_attributes(style)}/>'


def rectangle(x: float, y: float, width: float, height: float, **style: str) -> str:
    """A rectangle; coordinates are pixels."""
    return f'<rect x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}"{_attributes(style)}/>'


def circle(x: float, y: float, radius: float, **style: str) -> str:
    """A circle; coordinates are pixels."""
    return f'<circle cx="{x:.4g}" cy="{y:.4g}" r="{radius:.4g}"{_attributes(style)}/>'


def text(x: float, y: float, words: str, **style: str) -> str:
    """A line of text that holds no markup."""
    return f'<text x="{x:.4g}" y="{y:.4g}"{_attributes(style)}>{words}</text>'


def group(elements: str, **style: str) -> str:
    """Elements that have something in common."""
    return f"<g{_attributes(style)}>{elements}</g>"


def _attributes(style: dict[str, str]) -> str:
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
