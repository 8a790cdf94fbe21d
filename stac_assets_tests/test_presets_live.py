"""Each preset asks its real API, where somebody wants that and has internet: `pytest -m live -n 4 -rP`.

Nothing is loaded: a request for the landing page, one for collections, and one for a page of the first of
them that has an item.
"""

from datetime import UTC, datetime
from itertools import islice

import pytest

from stac_assets.settings import read_settings
from stac_assets.settings.presets import Preset, presets
from stac_assets.stac.api import StacApi
from stac_assets.stac.figures import Figures
from stac_assets.stac.narrowing import Narrowing
from stac_assets.stac.paging import item_pages
from stac_assets.stac.windows import ALWAYS

TRIED = 5
"""Collections that are asked for an item at most."""


@pytest.mark.live
@pytest.mark.parametrize("preset", presets().values(), ids=lambda preset: preset.name)
def test_the_api_of_a_preset_answers(preset: Preset, project: object) -> None:
    name = f"{preset.name}/LPCLOUD" if preset.takes_provider else preset.name
    api = StacApi(read_settings(preset=name, max_retries=1).api)
    assert "links" in api.landing.document()
    size = api.page_size if "page_size" in preset.settings else 1
    for collection in islice(api.collection_ids(), TRIED):
        request = api.requests.search(api.search_method, [collection], Narrowing(), ALWAYS, size)
        page = next(item_pages(api.transport, request, Figures()))
        if page.items:
            counts = "no count" if page.number_matched is None else f"of {page.number_matched}"
            print(
                f"# {datetime.now(UTC):%Y-%m}: {name}: {len(page.items)} items {counts} by {request.method}"
            )
            return
    pytest.fail(f"none of the first {TRIED} collections of {name} has an item")
