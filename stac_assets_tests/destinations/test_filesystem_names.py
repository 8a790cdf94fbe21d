"""Collections whose ids make long directories: the longest are stored, longer ones refused beforehand."""

import pytest

from stac_assets.stac.errors import ConfigurationError
from stac_assets_tests.destinations.lake import Lake
from stac_assets_tests.loads import DATASET, load_catalog, load_days
from stac_assets_tests.stac_api import RawItem, StacApi, make_collection, make_item
from stac_assets_tests.test_lossless import BAD, NOON

pytest_plugins = ["stac_assets_tests.destinations.lakes"]
LOCAL = 255 - len("collection=")
KEY = "/".join(
    (DATASET, "rejected_items/resource=collection_items/collection=/date=2024-01-01/part-00000.parquet")
)
LONGEST = ["x" * LOCAL, "影" * (LOCAL // 9), "a/b %:" * 17]


def publish(api: StacApi, collection: str) -> None:
    """An item, a document that no table can hold, and the collection itself."""
    api.collections = [make_collection(collection)]
    api.put(make_item("a", collection))
    api.put(RawItem(BAD["nan"], collection, NOON, NOON, "nan"))


@pytest.mark.parametrize("collection", LONGEST)
@pytest.mark.parametrize("lake", ["parquet-local", "parquet-s3"], indirect=True)
def test_the_longest_names_are_stored(lake: Lake, api: StacApi, collection: str) -> None:
    publish(api, collection)
    for _ in range(2):
        load_days(api, collections=[collection])
        assert list(lake.items()) == [(collection, "a")]
    assert [row["collection"] for row in lake.rows("rejected_items")] == [collection]


@pytest.mark.parametrize("lake", ["parquet-s3"], indirect=True)
@pytest.mark.parametrize("resource", ["search", "collection_items"])
def test_the_longest_key_of_a_bucket_is_stored(lake: Lake, api: StacApi, resource: str) -> None:
    collection = "x" * (1024 - len(KEY))
    publish(api, collection)
    load_days(api, resource, collections=[collection])
    assert lake.s3 is not None
    found = lake.s3.client().list_objects_v2(Bucket=lake.url.removeprefix("s3://"))["Contents"]
    longest = max(len(each["Key"]) for each in found)
    assert longest == 1024 - len("collection_items") + len(resource)


@pytest.mark.parametrize(
    ("lake", "collection"),
    [
        ("parquet-local", "x" * (LOCAL + 1)),
        ("parquet-local", "影" * 100),
        ("parquet-s3", "x" * (1024 - len(KEY) + 1)),
        ("parquet-s3", "影" * 120),
    ],
    indirect=["lake"],
)
def test_longer_ones_are_refused_before_anything_is_fetched(
    lake: Lake, api: StacApi, collection: str
) -> None:
    publish(api, collection)
    for load in (
        lambda: load_days(api, collections=[collection]),
        lambda: load_catalog(api, "collection", [collection]),
    ):
        with pytest.raises(ConfigurationError, match="is too long for plain Parquet") as refused:
            load()
        assert collection in str(refused.value) and "Set table_format to delta" in str(refused.value)
    assert api.requests == []


@pytest.mark.parametrize("lake", ["delta-local", "delta-s3"], indirect=True)
def test_delta_takes_them(lake: Lake, api: StacApi) -> None:
    publish(api, "影" * 120)
    load_days(api, collections=["影" * 120])
    assert list(lake.items()) == [("影" * 120, "a")]
