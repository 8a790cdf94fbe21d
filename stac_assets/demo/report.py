"""What the demo says at its end: what is in the tables, one question answered, and what to type next."""

import os
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from stac_assets.demo.project import DATASET
from stac_assets.demo.scenes import SENTINEL_2
from stac_assets.demo.steps import STEPS

QUESTION = "How cloudy was each week over Europe, as Sentinel-2 saw it?"
SQL = f"""\
SELECT date_trunc('week', datetime AT TIME ZONE 'UTC')::date AS week,
       count(*) AS scenes,
       round(avg(eo_cloud_cover), 1) AS mean_cloud_cover,
       min_by(id, eo_cloud_cover) AS clearest
FROM {DATASET}.search
WHERE collection = '{SENTINEL_2}'
  AND bbox_xmin > -12 AND bbox_xmax < 40 AND bbox_ymin > 35 AND bbox_ymax < 72
GROUP BY week ORDER BY week"""  # noqa: S608 - our own constant

Fingerprints = dict[str, tuple[int, int]]
"""Of each table: its rows, and a sum of their hashes that does not depend on their order."""


def fingerprints(file: Path) -> Fingerprints:
    """What the tables hold, without dlt's column that names the load; empty where there is no file."""
    if not file.exists():
        return {}
    found = {}
    with duckdb.connect(str(file), read_only=True) as connection:
        for name in [name for step in STEPS for name in step.assets]:
            sql = (
                f"SELECT count(*), sum(hash(t)) FROM (SELECT * EXCLUDE (_dlt_load_id) "  # noqa: S608
                f"FROM {DATASET}.{name}) t"
            )
            try:
                found[name] = connection.execute(sql).fetchone()
            except duckdb.CatalogException:
                continue
    return found


def print_report(file: Path, before: Fingerprints, start: Path, ui: str) -> None:
    """Print the tables, the question with its answer, and the next two commands.

    Args:
        file: of the tables.
        before: of the tables before the load.
        start: the folder in which the next commands will be typed.
        ui: the first of them.
    """
    console = Console()
    after = fingerprints(file)
    table = Table(title="What was loaded", title_justify="left")
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("since the run before")
    for name, (rows, digest) in after.items():
        was = before.get(name)
        change = "first run" if was is None else "no row changed" if was == (rows, digest) else "changed"
        table.add_row(f"{DATASET}.{name}", str(rows), change)
    console.print()
    console.print(table)
    console.print(f"\n[bold]{QUESTION}[/]\n")
    console.print(SQL, markup=False, highlight=False)
    console.print()
    with duckdb.connect(str(file), read_only=True) as connection:
        relation = connection.execute(SQL)
        answer = Table()
        for column in relation.description:
            answer.add_column(column[0])
        for row in relation.fetchall():
            answer.add_row(*map(str, row))
    console.print(answer)
    shown = os.path.relpath(file, start)
    rows = f"sql('FROM {DATASET}.search LIMIT 10').show()"
    look = f"import duckdb; duckdb.connect('{shown}', read_only=True).{rows}"
    console.print("\nNext, Dagster's UI on these data, and the first rows:")
    for command in (ui, f'.venv/bin/python -c "{look}"'):
        console.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)
