"""How many items each date of a range has."""

from collections.abc import Mapping
from datetime import date

import dagster as dg

from stac_assets.orchestration.pictures import svg
from stac_assets.stac.wording import counted

WIDTH, HEIGHT, MARGIN = 480, 120, 16
WIDEST = 40.0


def bars(counts: Mapping[date, int]) -> dg.MarkdownMetadataValue:
    """One bar per date, in order; the highest and both ends are labelled."""
    days = sorted(counts)
    most = max(counts.values())
    step = min(WIDEST, WIDTH / len(days))
    room = HEIGHT - 2 * MARGIN
    drawn = []
    for place, day in enumerate(days):
        height = room * counts[day] / most if most else 0
        gap = 1 if step > 3 else 0
        drawn.append(
            svg.rectangle(place * step, HEIGHT - MARGIN - height, step - gap, height, fill="#1c7ed6")
        )
    labels = [
        svg.text(0, MARGIN - 4, f"at most {most}", fill="#495057"),
        svg.text(0, HEIGHT - 3, days[0].isoformat(), fill="#495057"),
    ]
    if len(days) > 1:
        right = max(step * len(days), 140)
        labels.append(svg.text(right, HEIGHT - 3, days[-1].isoformat(), fill="#495057", text_anchor="end"))
    words = f"{counted(sum(counts.values()), 'item')} by date, {days[0]} to {days[-1]}"
    return svg.picture(WIDTH, HEIGHT, [*drawn, *labels], words)
