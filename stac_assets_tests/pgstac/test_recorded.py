"""Real items of thirteen collections, recorded from public APIs; they are no part of the project."""

import json
from pathlib import Path

import pytest

from stac_assets_tests.conftest import REPOSITORY
from stac_assets_tests.pgstac.loading import check_exact, load_all
from stac_assets_tests.pgstac.servers import Server
from stac_assets_tests.stac_api import Document

SAMPLES = REPOSITORY.parent / "shared" / "stac-samples"


def documents(name: str) -> list[Document]:
    """The documents of a file of the samples."""
    return [json.loads(line) for line in Path(SAMPLES, name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("project")
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="there are no recorded items in ../shared/stac-samples")
@pytest.mark.parametrize("counts", [False, True], ids=["uncounted", "counted"])
def test_real_items_are_stored_beside_the_generated_ones(server: Server, counts: bool) -> None:
    server.count(is_on=counts)
    collections = documents("collections.ndjson")
    known = {document["id"] for document in collections}
    server.put_collections(collections)
    server.put(it for it in documents("items.ndjson") if it["collection"] in known)
    load_all(server)
    check_exact(server)
