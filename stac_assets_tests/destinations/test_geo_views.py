"""The views of geometries of warehouses, as statements that their SQL takes."""

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import expressions as exp

from stac_assets.pipeline.destinations.geo_view import statement
from stac_assets.source.columns import ITEM_TABLES
from stac_assets.source.dialects import DIALECTS
from stac_assets_tests.destinations.dry import WAREHOUSES, run_dry
from stac_assets_tests.stac_api import StacApi, make_item

SHAPES = {
    "bigquery": "SAFE.ST_GEOGFROMGEOJSON(TO_JSON_STRING(`geometry`), make_valid => TRUE)",
    "snowflake": 'TRY_TO_GEOGRAPHY("GEOMETRY", TRUE)',
    "redshift": 'ST_GEOMFROMGEOJSON(JSON_SERIALIZE("geometry"))',
    "databricks": "TRY_TO_GEOMETRY(TO_JSON(`geometry`))",
}


def test_every_warehouse_has_one() -> None:
    assert {name for name, dialect in DIALECTS.items() if dialect.geo_view} == {*WAREHOUSES, "motherduck"}


@pytest.mark.parametrize("table", ITEM_TABLES)
def test_a_view_has_the_columns_of_its_table_and_a_geometry(
    warehouse: str, api: StacApi, tmp_path: Path, no_network: None, table: str
) -> None:
    properties: dict[str, Any] = {"geom": "not a geometry", "eo:cloud_cover": 5}
    api.put(make_item("a", **properties))
    dry = run_dry(warehouse, api, table, folder=tmp_path, item_ids=["a"])
    form = DIALECTS[warehouse].geo_view
    assert form is not None
    columns = [name for name in dry.types(table) if not name.startswith("_dlt_")]
    written = statement(dry.client.sql_client, table, columns, form)
    plain = written.replace(" WITH NO SCHEMA BINDING", "")
    (made,) = sqlglot.parse(plain, dialect=dry.dialect)
    assert isinstance(made, exp.Create) and made.kind == "VIEW" and made.args["replace"]
    assert made.this.name.lower() == f"{table}_geo"
    select = made.expression
    assert isinstance(select, exp.Select)
    assert [column.alias_or_name.lower() for column in select.expressions] == [*columns, "geom"]
    assert "geom" not in columns and "eo_cloud_cover" in columns
    assert [each.name.lower() for each in select.find_all(exp.Table)] == [table]
    assert select.expressions[-1].this.sql(dry.dialect).upper() == SHAPES[warehouse].upper()
