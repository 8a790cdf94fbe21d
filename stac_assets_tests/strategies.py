"""Hypothesis strategies: STAC items as no catalog should send them, and some do."""

import json
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

MEMBERS = (
    *("id", "collection", "stac_version", "type", "geometry", "bbox"),
    *("properties", "assets", "links", "stac_extensions"),
)
ODD_NAMES = (
    *("eo:cloud_cover", "eo_cloud_cover", "Gsd", "gsd", "proj:epsg", "published", "deprecated", "created"),
    *("id", "geometry", "_partition_key", "_deleted", "_dlt_load_id", "_dlt_id", "select", "x", "__x"),
    *("日本", "ß", "a b", "a:b", "a.b", "A_B", "1st", "'", '"', ";", "%s", "-", "\n", "\x00", "a" * 300),
)

texts = st.text(max_size=6)
numbers = (
    st.integers(-100, 100)
    | st.integers(-(10**40), 10**40)
    | st.sampled_from([2**53, 2**53 + 1, 2**63, 2**64, 1e308, 5e-324, -0.0, 0.1])
    | st.floats(allow_nan=False, allow_infinity=False)
)
scalars = st.none() | st.booleans() | numbers | texts | st.just("2024-01-01T00:00:00Z")
names = texts | st.sampled_from(ODD_NAMES)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
boxes = st.lists(st.floats(-180, 180), min_size=4, max_size=4) | st.lists(
    numbers | st.none(), min_size=6, max_size=6
)
points = st.fixed_dictionaries(
    {"type": st.just("Point"), "coordinates": st.lists(numbers, min_size=2, max_size=3)}
)
properties = st.dictionaries(names, values, max_size=6)


@st.composite
def members(draw: st.DrawFn) -> Json:
    """All members of an item but its id and collection: as the specification has them, or not, or absent."""
    usual = {
        "type": st.just("Feature"),
        "stac_version": st.sampled_from(["1.0.0", "1.1.0", ""]),
        "geometry": points | st.none(),
        "bbox": boxes,
        "properties": properties,
        "assets": st.dictionaries(texts, values, max_size=3),
        "links": st.lists(values, max_size=3),
        "stac_extensions": st.lists(texts, max_size=2),
    }
    found = draw(st.fixed_dictionaries({}, optional=usual))
    if draw(st.booleans()):
        found |= draw(st.dictionaries(st.sampled_from(list(usual)), values, max_size=2))
    return found | draw(st.dictionaries(names.filter(lambda name: name not in MEMBERS), values, max_size=2))


@st.composite
def odd_items(draw: st.DrawFn) -> Json:
    """An item with an id, and anything else."""
    item = draw(members()) | {"id": draw(st.text(min_size=1, max_size=4) | st.integers())}
    if draw(st.booleans()):
        item["collection"] = draw(values)
    order = draw(st.permutations(list(item)))
    return {name: item[name] for name in order}


@st.composite
def items_of_a_day(draw: st.DrawFn, collection: str, day: str) -> list[Json]:
    """Items of a collection and a day with different ids, which otherwise hold anything."""
    ids = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=12, unique=True))
    found = []
    for id in ids:
        item = draw(members()) | {"id": id}
        if draw(st.booleans()):
            item["collection"] = draw(st.just(collection) | st.none() | numbers)
        item["properties"] = draw(properties) | draw(
            st.sampled_from(
                [
                    {"datetime": f"{day}T12:00:00Z"},
                    {"datetime": None, "start_datetime": f"{day}T00:00:00Z", "end_datetime": "2030-01-01"},
                ]
            )
        )
        found.append(item)
    return found


def canonical(document: Any) -> str:
    """A text that is equal for equal JSON only: 1, 1.0 and true differ in it, which `==` holds for equal."""
    return json.dumps(document, sort_keys=True)
