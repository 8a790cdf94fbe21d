"""What was loaded: `stac-assets explore` opens this notebook, and `marimo edit` lets you change it."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="What was loaded")

with app.setup:
    import marimo as mo

    from stac_assets.explore import charts
    from stac_assets.explore.footprints import READ, footprints
    from stac_assets.explore.latest import MOST as MOST_LATEST
    from stac_assets.explore.latest import latest
    from stac_assets.explore.maps import footprint_map
    from stac_assets.explore.mirror import Mirror
    from stac_assets.explore.page import argument, cards, code, configured_catalogs, note, told
    from stac_assets.explore.properties import SHOWN, distributions, properties_of
    from stac_assets.explore.sample import newest, sampled


@app.cell(hide_code=True)
def title():
    mo.md("""
    # What was loaded

    The items that `stac-assets` has stored. The database counts them, when a view is asked for; nothing here
    asks the API, and no table is read as a whole.
    """)
    return


@app.cell
def choose_catalog():
    catalogs, faults = told(configured_catalogs)
    _wanted = argument("catalog")
    catalog = mo.ui.dropdown(
        list(catalogs), value=_wanted if _wanted in catalogs else next(iter(catalogs), None), label="Catalog"
    )
    again = mo.ui.button(label="Read again", value=0, on_click=lambda times: times + 1)
    return again, catalog, catalogs, faults


@app.cell
def first_choice(again, catalog, faults):
    mo.vstack([mo.hstack([catalog, again], justify="start", gap=1.5), *map(note, faults)])
    return


@app.cell
def open_tables(again, catalog, catalogs):
    again.value
    mo.stop(catalog.value is None)
    mirror = told(Mirror, catalogs[catalog.value])
    table = mo.ui.dropdown(_tables := told(lambda: mirror.item_tables), value=_tables[0], label="Table")
    return mirror, table


@app.cell
def count_by_month(mirror, table):
    # The partition key of a row is `collection|YYYY-MM-DD`: the collection of the item and its day in UTC.
    items = mirror.tables[table.value].sql
    months = told(
        mirror.ask,
        f"""
        SELECT left(_partition_key, length(_partition_key) - 3) AS month_key, count(*) AS items
        FROM {items} GROUP BY 1 ORDER BY 1
        """,
    )
    months[["collection", "month"]] = months["month_key"].str.rsplit("|", n=1, expand=True).to_numpy()
    mo.stop(months.empty, note(f"The table {table.value} in {mirror.where} holds no items."))
    return items, months


@app.cell
def choose_collection(months):
    totals = months.groupby("collection")["items"].sum().sort_values(ascending=False)
    collection = mo.ui.dropdown(
        {f"{name} ({count:,})": name for name, count in totals.items()},
        value=f"{totals.index[0]} ({totals.iloc[0]:,})",
        label="Collection",
        searchable=True,
    )
    return collection, totals


@app.cell
def more_choices(collection, table):
    mo.hstack([table, collection], justify="start", gap=1.5)
    return


@app.cell
def summary(months, totals):
    mo.hstack(
        [
            mo.stat(f"{totals.sum():,}", label="items", bordered=True),
            mo.stat(f"{len(totals):,}", label="collections", bordered=True),
            mo.stat(months["month"].min(), label="first month", bordered=True),
            mo.stat(months["month"].max(), label="last month", bordered=True),
        ],
        widths="equal",
    )
    return


@app.cell
def heat_map(months):
    mo.vstack([mo.md("## Collections over time"), charts.heat_map(months)])
    return


@app.cell
def count_by_day(collection, items, mirror):
    days = told(
        mirror.ask,
        f"""
        SELECT right(_partition_key, 10) AS day, count(*) AS items FROM {items}
        WHERE left(_partition_key, length(_partition_key) - 11) = %s GROUP BY 1 ORDER BY 1
        """,
        collection.value,
    )
    years = sorted({int(day[:4]) for day in days["day"]}, reverse=True)
    mo.stop(not years, note(f"{collection.value} has no items any more. Read again."))
    year = mo.ui.dropdown(list(map(str, years)), value=str(years[0]), label="Year")
    return days, year


@app.cell
def calendar(collection, days, year):
    _of_year = days[days["day"].str.startswith(year.value)]
    mo.vstack(
        [
            mo.md(f"## Items per day: {code(collection.value)}"),
            year,
            mo.md(f"**{_of_year['items'].sum():,}** items on **{len(_of_year)}** days of {year.value}"),
            charts.calendar(_of_year, int(year.value)),
        ]
    )
    return


@app.cell
def map_of_footprints(collection, days, mirror, table):
    _some = sampled(collection.value, days, READ)
    found = told(footprints, mirror, mirror.tables[table.value], _some)
    _is_whole = found.items + found.nowhere == _some.total
    _sample = "All items" if _is_whole else f"A sample: {found.items:,} of {_some.total:,} items"
    _nowhere = f"; {found.nowhere:,} have no geometry" if found.nowhere else ""
    mo.vstack(
        [
            mo.md("## Footprints"),
            mo.md(
                f"{_sample}, from the first day to the last{_nowhere}. Drag the map, and zoom with the wheel."
            ),
            footprint_map(found),
        ]
        if found.items
        else [mo.md("## Footprints"), note(f"No item of {collection.value} has a geometry.", "neutral")]
    )
    return


@app.cell
def choose_properties(collection, days, mirror, table):
    # Of more items than these, those of some days are counted, and the page says so.
    some = sampled(collection.value, days, 100_000)
    properties = {
        each.name: each
        for each in told(
            properties_of, mirror, mirror.tables[table.value], sampled(collection.value, days, READ)
        )
    }
    chosen = mo.ui.multiselect(list(properties), value=list(properties)[:SHOWN], label="Properties")
    return chosen, properties, some


@app.cell
def histograms(chosen, collection, mirror, properties, some, table):
    _found = told(
        distributions, mirror, mirror.tables[table.value], some, [properties[name] for name in chosen.value]
    )
    mo.vstack(
        [
            mo.md("## Properties"),
            chosen,
            mo.md(f"{some.words}."),
            charts.distributions(_found) if _found else mo.md("Choose a property."),
        ]
        if properties
        else [
            mo.md("## Properties"),
            note(f"The items of {collection.value} have no properties to be counted.", "neutral"),
        ]
    )
    return


@app.cell
def newest_items(collection, days, mirror, table):
    shown = told(latest, mirror, mirror.tables[table.value], newest(collection.value, days, MOST_LATEST))
    mo.vstack([mo.md("## Newest items"), cards(shown)])
    return (shown,)


@app.cell
def read_changes(collection, mirror, table):
    mo.stop(
        "item_changes" not in mirror.tables,
        mo.vstack([mo.md("## Last changes"), note("No load has told any changes yet.", "neutral")]),
    )
    _feed = f"""
        FROM {mirror.tables["item_changes"].sql} WHERE resource = %s AND collection = %s AND id IS NOT NULL
    """
    counts = told(
        mirror.ask,
        f"""
        SELECT CAST(CAST(seen_at AT TIME ZONE 'UTC' AS DATE) AS VARCHAR) AS day, change, count(*) AS items
        {_feed} GROUP BY 1, 2 ORDER BY 1, 2
        """,
        table.value,
        collection.value,
    )
    last = told(
        mirror.ask,
        f"""
        SELECT seen_at, change, id, right(_partition_key, 10) AS day,
            CAST(changed_members AS VARCHAR) AS changed_members
        {_feed} ORDER BY seen_at DESC, _partition_key DESC, id LIMIT 50
        """,
        table.value,
        collection.value,
    )
    return counts, last


@app.cell
def last_changes(collection, counts, last):
    mo.vstack(
        [
            mo.md("## Last changes"),
            mo.md(
                ", ".join(
                    f"**{count:,}** {kind}" for kind, count in counts.groupby("change")["items"].sum().items()
                )
            ),
            charts.changes(counts),
            mo.ui.table(last, selection=None, page_size=10, show_column_summaries=False),
        ]
        if len(last)
        else [mo.md("## Last changes"), note(f"No load has told a change of {collection.value}.", "neutral")]
    )
    return


@app.cell
def in_a_script(catalog, collection, days, found, last, mirror, months, shown, totals):
    if mo.app_meta().mode == "script":
        print(f"{mirror.where}: {totals.sum():,} items of {catalog.value}, in {len(totals):,} collections,")
        print(f"from {months['month'].min()} to {months['month'].max()}.")
        print(f"{collection.value}: {days['items'].sum():,} items on {len(days):,} days,")
        print(f"{found.items:,} footprints, {len(shown)} newest items, {len(last)} last changes.")
    return


if __name__ == "__main__":
    app.run()
