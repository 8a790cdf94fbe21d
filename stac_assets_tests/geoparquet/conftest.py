"""Files of recorded collections, exported once for all tests that read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dlt.common.runtime.run_context import switch_context

from stac_assets_tests.conftest import enter_project, make_project
from stac_assets_tests.geoparquet.exporting import Document, export, recorded, scene
from stac_assets_tests.geoparquet.readers import Readers
from stac_assets_tests.loads import load_catalog, load_days
from stac_assets_tests.stac_api import StacApi, make_collection

ALL_YEARS: dict[str, Any] = {"first": "1970-01-01", "last": "2026-12-31", "granularity": "yearly"}


@dataclass(frozen=True)
class Sample:
    """A collection: what an API sent, and the file that it was exported to."""

    items: list[Document]
    file: Path
    has_map: bool


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sample]]:
    """Generated items, and the recorded ones where this machine has them."""
    folder = tmp_path_factory.mktemp("samples")
    sent = {"c1": [scene(number, gsd=10, platform="one", none=None) for number in range(9)], **recorded()}
    with pytest.MonkeyPatch.context() as patch, StacApi() as api:
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt-data"))
        make_project(folder / "project")
        enter_project(folder / "project", patch)
        api.collections += [make_collection(name) for name in sent]
        for item in (item for items in sent.values() for item in items):
            api.put(item)
        load_days(api, collections=sent, **ALL_YEARS)
        load_catalog(api, "collections")
        found: dict[str, Sample] = {}
        for name, items in sent.items():
            file = folder / f"{name}.parquet"
            done = export(api, file, collection=name)
            assert done.items == len(items) and done.structure is not None
            found[name] = Sample(items, file, done.structure.assets_as == "map")
    switch_context(".")
    yield found


@pytest.fixture
def readers(tmp_path: Path) -> Readers:
    """Programs of an environment of their own."""
    return Readers(tmp_path / "home")
