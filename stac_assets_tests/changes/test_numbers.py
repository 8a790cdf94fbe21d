"""Numbers are compared by what was written: whole ones beyond 2**53, and those that PostgreSQL spells out."""

import json

import pytest

from stac_assets_tests.changes.replaying import told
from stac_assets_tests.loads import load_days
from stac_assets_tests.stac_api import RawItem, StacApi, make_item

pytestmark = pytest.mark.usefixtures("project")


def put(api: StacApi, number: str, link: str) -> None:
    """Put an item with a number as it is spelled."""
    item = make_item("a", number="NUMBER", extra={"links": [{"rel": "self", "href": link}]})
    known = RawItem.of(item)
    text = json.dumps(item).replace('"NUMBER"', number).encode()
    api.put(RawItem(text, known.collection, known.start, known.end))


def test_a_number_that_is_spelled_otherwise_is_no_change(api: StacApi) -> None:
    spellings = {
        "-3.4028234663852886e+38": "-340282346638528860000000000000000000000",
        "1e30": "1000000000000000000000000000000",
        "1e23": "1.0E+23",
    }
    for before, after in spellings.items():
        put(api, before, "1")
        load_days(api)
        known = told()
        put(api, before, "2")
        load_days(api)
        assert told() == known, f"only a link beside {before} is another one"
        put(api, after, "2")
        load_days(api)
        assert told() == known, f"{after} is {before}"


def test_a_whole_number_that_no_double_holds_is_compared_exactly(api: StacApi) -> None:
    for number in ("9007199254740992.0", "9007199254740993", "9007199254740992"):
        put(api, number, "1")
        load_days(api)
    assert told() == [("added", "a"), ("changed", "a"), ("changed", "a")]
