"""Bodies that are compressed, or in another encoding than they should be."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from stac_assets.stac.errors import RequestTooHeavy
from stac_assets_tests.asking import (
    fetched,
    spooled,
)
from stac_assets_tests.stac_api import RawItem, StacApi, make_item


def in_clothes(page: Any) -> bytes:
    raw = [json.loads(item.text) if isinstance(item, RawItem) else item for item in page["features"]]
    return json.dumps({**page, "features": raw}, ensure_ascii=False).encode()


CLOTHES: dict[str, tuple[Any, dict[str, str]]] = {
    "gzip": (gzip.compress, {"Content-Encoding": "gzip"}),
    "gzip, untold": (gzip.compress, {}),
    "UTF-8 said to be Latin-1": (lambda body: body, {"Content-Type": "application/json; charset=ISO-8859-1"}),
    "Latin-1": (
        lambda body: body.decode().encode("latin-1"),
        {"Content-Type": 'text/json; charset="latin1"'},
    ),
    "UTF-16": (lambda body: body.decode().encode("utf-16"), {"Content-Type": "application/json"}),
    "UTF-16, no mark": (lambda body: body.decode().encode("utf-16-le"), {}),
    "byte order mark": (lambda body: b"\xef\xbb\xbf" + body, {}),
    "no content type": (lambda body: body, {"Content-Type": ""}),
    "an unknown charset": (lambda body: body, {"Content-Type": "application/json; charset=klingon"}),
}


@pytest.mark.parametrize("name", CLOTHES)
def test_bodies_are_read_whatever_they_are_wrapped_in(api: StacApi, tmp_path: Path, name: str) -> None:
    api.put(make_item("é", title="Zürich"))
    wrap, headers = CLOTHES[name]
    api.on_page = lambda page, _: wrap(in_clothes(page))
    api.fault("/search", headers=headers, times=None)
    [window] = fetched(api, tmp_path)
    assert window.error is None and spooled(window) == ["é"]
    assert window.figures.retries == window.figures.rejected_items == 0


def test_a_gzip_bomb_is_not_unpacked(api: StacApi, tmp_path: Path) -> None:
    api.put(make_item("a"))
    bomb = gzip.compress(b" " * 50_000_000)
    for headers in ({}, {"Content-Encoding": "gzip"}):
        api.faults.clear()
        api.fault("/search", body=bomb, headers=headers, times=None)
        [window] = fetched(api, tmp_path, max_response_bytes=1_000_000, max_retries=0, page_size=1)
        with pytest.raises(RequestTooHeavy, match="larger than max_response_bytes"):
            raise window.error or AssertionError
