"""Tables that are files are asked how many rows they hold too, so that an answer that shrank is doubted."""

from stac_assets_tests.apis.test_shrunk import first_times, only, put
from stac_assets_tests.destinations.lake import Lake
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import StacApi

pytest_plugins = ["stac_assets_tests.destinations.lakes"]


def test_an_api_that_recovers_takes_no_row(lake: Lake, api: StacApi) -> None:
    put(api)
    load_days(api)
    before = lake.by_day()
    api.on_page = only(0, first_times(1))
    result = load_days(api)
    assert lake.by_day() == before
    assert result.figures.asked_again == 1
