"""A notebook on the tables in PostgreSQL, by marimo; it runs as a script too.

It needs `pip install 'stac-assets[geo]' 'dlt[postgres]' marimo`. The URL of the database stands in
`.dlt/secrets.toml`, as `credentials` of `[destination.postgres]`, or in the environment, as
`DESTINATION__POSTGRES__CREDENTIALS`. Type in the project folder:

    stac-assets load --destination postgres --start 2024-01-01 --end 2024-01-07
    python examples/postgres_notebook.py
    marimo edit examples/postgres_notebook.py

The last one opens it in a browser, where the button ▶ at the bottom runs all cells.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def _():
    import dlt
    import marimo as mo

    from stac_assets import geodataframe

    return dlt, geodataframe, mo


@app.cell
def _(mo):
    clouds = mo.ui.slider(0, 100, value=10, label="clouds at most, %")
    clouds
    return (clouds,)


@app.cell
def _(clouds, dlt):
    # PostgreSQL counts, and a row for each day comes here.
    days = dlt.dataset("postgres", "pystac_client_data")(f"""
        SELECT collection, CAST(datetime AT TIME ZONE 'UTC' AS DATE) AS day, COUNT(*) AS items
        FROM search WHERE eo_cloud_cover <= {clouds.value} GROUP BY 1, 2 ORDER BY 1, 2
    """).df()
    days
    return (days,)


@app.cell
def _(clouds, geodataframe):
    # Of the items only these columns and the footprints come here.
    footprints = geodataframe(
        columns=["id", "datetime"], where=f"eo_cloud_cover <= {clouds.value}", destination="postgres"
    )
    footprints
    return (footprints,)


@app.cell
def _(days, footprints):
    print(len(footprints), "items on", len(days), "days, within", footprints.total_bounds)
    return


if __name__ == "__main__":
    app.run()
