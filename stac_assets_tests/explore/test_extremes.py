"""Properties whose numbers are as far from each other as numbers can be."""

import sys

import pytest

from stac_assets.catalog import read_catalog
from stac_assets.explore.mirror import Mirror
from stac_assets.explore.properties import distributions, properties_of
from stac_assets.explore.sample import Sample
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi, make_item

MOST = sys.float_info.max


@pytest.mark.usefixtures("project")
def test_a_value_that_stands_for_none_leaves_the_others_shown(api: StacApi) -> None:
    for number, value in enumerate((-MOST, MOST, -MOST, 5.0)):
        api.put(make_item(f"i{number}", nodata=value, gsd=number))
    load_days(api)
    mirror, some = Mirror(read_catalog()), Sample("c1", None, 4, 4)
    table = mirror.tables["search"]
    shown = distributions(mirror, table, some, properties_of(mirror, table, some))
    found = {each.of.name: each for each in shown}
    assert {"nodata", "gsd"} <= found.keys()
    counts = found["nodata"].counts
    assert counts["items"].tolist() == [2, 1, 1] and counts["value"].abs().max() <= MOST
