"""Several documents of one id: which of them is the row, and where the others go."""

import json
from pathlib import Path
from typing import Any

import pytest

from stac_assets.source.fetched import FetchedWindow
from stac_assets.source.rows import item_from_row
from stac_assets_tests.asking import fetched, spooled
from stac_assets_tests.lying_api import LyingApi
from stac_assets_tests.stac_api import make_item

OLD, NEW = "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"


def _found(folder: Path, items: list[dict[str, Any]], **options: Any) -> FetchedWindow:
    """The window of the items, whose ids the API writes without what follows a `#`."""
    with LyingApi(items=items) as api:
        [window] = fetched(api, folder, **options)
    assert window.error is None
    return window


def _row(window: FetchedWindow) -> dict[str, Any]:
    [row] = window.spool.rows()
    return item_from_row(row)


def _rejected(window: FetchedWindow) -> list[dict[str, Any]]:
    assert len(window.spool.rejected) == window.figures.rejected_items
    return [json.loads(each["document"]) for each in window.spool.rejected]


@pytest.mark.parametrize("newest", [0, 1, 2])
@pytest.mark.parametrize("page_size", [1, 2, 100])
def test_the_newest_is_the_row_and_the_others_are_rejected_whole(
    tmp_path: Path, newest: int, page_size: int
) -> None:
    items = [make_item(f"t#{n}", updated=NEW if n == newest else OLD, n=n) for n in range(3)]
    window = _found(tmp_path, items, page_size=page_size)
    documents = [{**item, "id": "t"} for item in items]
    assert _row(window) == documents[newest]
    others = [document for document in documents if document is not documents[newest]]
    assert sorted(_rejected(window), key=str) == sorted(others, key=str)
    assert {each["id"] for each in window.spool.rejected} == {"t"}
    assert "another document of the id 't'" in next(iter(window.spool.rejected))["reason"]
    assert window.figures.items == 1


@pytest.mark.parametrize("member", ["assets", "geometry", "extra"])
@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_as_old_the_greater_is_the_row_whichever_comes_first(
    tmp_path: Path, member: str, is_first: bool
) -> None:
    documents: dict[str, Any] = {
        "assets": [{"a": {"href": "https://x/1"}}, {"a": {"href": "https://x/2"}}],
        "geometry": [{"type": "Point", "coordinates": [1, 2]}, {"type": "Point", "coordinates": [1, 3]}],
        "extra": ["a", "b"],
    }
    items = [make_item(f"t#{n}", extra={member: documents[member][n]}) for n in (0, 1)]
    window = _found(tmp_path, items if is_first else items[::-1])
    assert _row(window)[member] == documents[member][1]
    assert [each[member] for each in _rejected(window)] == [documents[member][0]]


def test_a_copy_with_another_signature_or_other_links_is_no_other_document(tmp_path: Path) -> None:
    def signed(name: str, signature: str) -> dict[str, Any]:
        links = [{"rel": "self", "href": f"https://x/{signature}"}]
        return make_item(
            name, extra={"assets": {"a": {"href": f"https://x/1?sig={signature}"}}, "links": links}
        )

    window = _found(tmp_path, [signed("t#1", "one"), signed("t#2", "two"), signed("u", "three")])
    assert spooled(window) == ["t", "u"]
    assert window.figures.rejected_items == 0 and window.figures.duplicates


def test_documents_of_one_id_on_two_days_are_two_rows(tmp_path: Path) -> None:
    items = [make_item(f"t#{day}", datetime=f"2024-01-0{day}T10:00:00Z") for day in (1, 2)]
    with LyingApi(items=items) as api:
        windows = fetched(api, tmp_path, days=2)
    assert [spooled(window) for window in windows] == [["t"], ["t"]]
    assert [window.figures.rejected_items for window in windows] == [0, 0]


def test_the_rows_beside_it_stay_as_they_are(tmp_path: Path) -> None:
    others = [make_item(f"o{n}", n=n) for n in range(6)]
    others[3]["properties"]["only"] = 3
    items = [*others[:3], make_item("t#1", updated=OLD, gone="x"), *others[3:], make_item("t#2", updated=NEW)]
    window = _found(tmp_path, items, page_size=2)
    rows = {row["id"]: item_from_row(row) for row in window.spool.rows()}
    assert rows == {**{item["id"]: item for item in others}, "t": {**items[-1], "id": "t"}}
    kinds = {name: kind for file in window.spool.files for name, kind in file.kinds.items()}
    assert kinds["only"] == "number" and "gone" not in kinds
