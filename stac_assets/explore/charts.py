"""Charts of what the destination has counted: nothing in them is fetched from anywhere."""

from __future__ import annotations

import calendar as names_of
import json
from datetime import date, timedelta
from typing import Any

import altair
import pandas as pd

from stac_assets.explore.mirror import Rows
from stac_assets.explore.properties import Distribution

alt: Any = altair
Chart = Any
"""One of altair's; which class it has is of no use to anybody."""

COLOURS = alt.Scale(scheme="tealblues", domainMin=0)
NONE = "#f1f3f5"
"""The colour of a day or a month without items."""
MAIN = "#2a7f8e"
MOST_COLLECTIONS = 40
MOST_MONTHS = 180
"""Cells in a line of the heat map; of more months, years are shown."""
WIDTH = 900
"""Pixels of a chart without its legend."""
AXIS = 110
"""Of the names at the left of each distribution, so that they stand below each other."""
HALF = WIDTH / 2 - AXIS
KINDS = {
    "added": "#2b8a3e",
    "changed": "#e8890c",
    "removed": "#c92a2a",
    "baseline": "#868e96",
    "out_of_scope": "#ced4da",
}
"""The kinds of changes, and their colours."""


def shown(chart: Chart, **view: Any) -> Chart:
    """A chart as SVG, whose marks a screen reader can tell, with a background."""
    return chart.configure_view(**{"stroke": None, **view}).properties(
        usermeta={"embedOptions": {"renderer": "svg"}}
    )


def heat_map(months: Rows) -> Chart:
    """Items of each collection in each month, or year where the months are too many.

    Args:
        months: columns `collection`, `month` (`YYYY-MM`) and `items`.
    """
    totals = months.groupby("collection")["items"].sum().sort_values(ascending=False)
    some = months[months["collection"].isin(totals.index[:MOST_COLLECTIONS])].copy()
    every = [str(month) for month in pd.period_range(some["month"].min(), some["month"].max(), freq="M")]
    what, spans = "month", every
    if len(every) > MOST_MONTHS:
        what, spans = "year", sorted({month[:4] for month in every})
        some["month"] = some["month"].str[:4]
        some = some.groupby(["collection", "month"], as_index=False)["items"].sum()
    some = some.rename(columns={"month": what})
    labelled = [span for span in spans if what == "year" or len(spans) <= 36 or span.endswith("-01")]
    collections = alt.Y(
        "collection:N", sort=list(totals.index[:MOST_COLLECTIONS]), title=None, axis=alt.Axis(labelLimit=220)
    )
    axis = alt.Axis(values=labelled, labelAngle=-45, labelOverlap=True)
    cells = (
        alt.Chart(some)
        .mark_rect(stroke="white", strokeWidth=min(1.0, 60 / len(spans)))
        .encode(
            x=alt.X(f"{what}:O", scale=alt.Scale(domain=spans), title=None, axis=axis),
            y=collections,
            color=alt.Color("items:Q", scale=COLOURS, title="items"),
            tooltip=["collection", what, alt.Tooltip("items:Q", format=",")],
        )
        .properties(width=min(WIDTH - 180, 48 * len(spans)), height=alt.Step(22))
    )
    return shown(cells, fill=NONE)


def calendar(days: Rows, year: int) -> Chart:
    """Items of each day of a year: a column for each week, which begins on Monday.

    Args:
        days: columns `day` (`YYYY-MM-DD`) and `items`.
        year: which.
    """
    counts = dict(zip(days["day"], (int(items) for items in days["items"]), strict=True))
    first = date(year, 1, 1)
    rows = [
        {"day": f"{day}", "items": counts.get(f"{day}", 0), "week": (number + first.weekday()) // 7}
        | {"weekday": names_of.day_abbr[day.weekday()], "month": day.month, "of_month": day.day}
        for number in range(366 if names_of.isleap(year) else 365)
        for day in (first + timedelta(days=number),)
    ]
    begins = {row["week"]: names_of.month_abbr[row["month"]] for row in rows if row["of_month"] == 1}
    labels = f"({json.dumps({str(week): name for week, name in begins.items()})})[datum.value + ''] || ''"
    axis = alt.Axis(
        labelExpr=labels, labelAngle=0, ticks=False, domain=False, orient="top", labelAlign="left"
    )
    weekdays = alt.Axis(ticks=False, domain=False, values=["Mon", "Wed", "Fri", "Sun"])
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("week:O", title=None, axis=axis),
        y=alt.Y("weekday:O", sort=list(names_of.day_abbr), title=None, axis=weekdays),
        tooltip=["day", alt.Tooltip("items:Q", format=",")],
    )
    empty = base.transform_filter("datum.items == 0").mark_rect(fill=NONE, stroke="white", strokeWidth=2)
    full = base.transform_filter("datum.items > 0").mark_rect(stroke="white", strokeWidth=2)
    full = full.encode(color=alt.Color("items:Q", scale=COLOURS, title="items"))
    return shown((empty + full).properties(width=WIDTH, height=110))


def distribution(found: Distribution) -> Chart:
    """A histogram of a number that varies, or else how often a value is there."""
    title = alt.TitleParams(found.of.name, subtitle=_besides(found), anchor="start")
    items = alt.Tooltip("items:Q", format=",")
    if not (found.of.is_number and found.width):
        values = found.counts.assign(value=found.counts["value"].map(_named))
        chart = alt.Chart(values, title=title).mark_bar(color=MAIN)
        chart = chart.encode(
            x=alt.X("items:Q", title="items", axis=alt.Axis(tickCount=4)),
            y=alt.Y("value:N", sort="-x", title=None, axis=alt.Axis(labelLimit=AXIS - 10, minExtent=AXIS)),
            tooltip=["value", items],
        )
        return chart.properties(width=HALF, height=alt.Step(20))
    bins = found.counts.assign(end=found.counts["value"] + found.width)
    chart = alt.Chart(bins, title=title)
    chart = chart.mark_bar(color=MAIN, orient="vertical", stroke="white", strokeWidth=0.5).encode(
        x=alt.X("value:Q", title=None, scale=alt.Scale(zero=False, nice=False)),
        x2="end:Q",
        y=alt.Y("items:Q", title=None, axis=alt.Axis(tickCount=4, minExtent=AXIS)),
        y2=alt.datum(0),
        tooltip=[
            alt.Tooltip("value:Q", format=".4~g", title="from"),
            alt.Tooltip("end:Q", format=".4~g", title="to"),
            items,
        ],
    )
    return chart.properties(width=HALF, height=130)


def distributions(found: list[Distribution]) -> Any:
    """The charts of some properties, two beside each other."""
    charts: Any = [distribution(each) for each in found]
    return shown(alt.concat(*charts, columns=2, spacing=30))


def changes(counts: Rows) -> Chart:
    """How many items were added, changed and removed by the loads of each day.

    Args:
        counts: columns `day`, `change` and `items`.
    """
    kinds = [kind for kind in KINDS if kind in set(counts["change"])]
    scale = alt.Scale(domain=kinds, range=[KINDS[kind] for kind in kinds])
    bars = (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
            y=alt.Y("items:Q", title="items"),
            color=alt.Color("change:N", scale=scale, title=None),
            tooltip=["day", "change", alt.Tooltip("items:Q", format=",")],
        )
        .properties(width=min(WIDTH, 60 * counts["day"].nunique()), height=140)
    )
    return shown(bars)


def _besides(found: Distribution) -> str:
    """What the bars do not show."""
    some = [f"{found.other:,} with other values"] if found.other else []
    some += [f"{found.missing:,} without it"] if found.missing else []
    return "; ".join(some) if some else " "


def _named(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
