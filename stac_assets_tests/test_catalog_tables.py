"""The six tables that describe the API and its collections: whole, and replaced whole."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from stac_assets.stac.errors import EndpointMissing, StacError, UnknownCollection
from stac_assets_tests.loads import column_types, load_catalog, rows
from stac_assets_tests.reading import as_stored, holds_nul
from stac_assets_tests.stac_api import StacApi, make_collection
from stac_assets_tests.stac_api_faults import Reply, Request

pytestmark = pytest.mark.usefixtures("project")


def documents(table: str) -> list[Any]:
    return [json.loads(row["document"]) for row in rows(table)]


def test_client_root_is_the_landing_page(api: StacApi) -> None:
    load_catalog(api, "client_root")
    api.conforms_to = ["https://api.stacspec.org/v1.0.0/core"]
    load_catalog(api, "client_root")
    (row,) = rows("client_root")
    assert (row["id"], row["title"], row["description"]) == ("stac-api", "StacApi", "A STAC API for tests")
    assert (row["stac_version"], row["url"]) == ("1.0.0", api.url)
    assert json.loads(row["conforms_to"]) == api.conforms_to
    document = json.loads(row["document"])
    assert document["conformsTo"] == api.conforms_to
    assert json.loads(row["links"]) == document["links"]


@pytest.mark.parametrize("where", ["has_conformance", "conforms_to_in_root"])
def test_conformance_is_one_row_per_class_wherever_the_api_names_them(api: StacApi, where: str) -> None:
    setattr(api, where, False)
    api.conforms_to = ["https://example.com/b", "https://example.com/a", "https://example.com/b"]
    load_catalog(api, "conformance")
    assert [row["uri"] for row in rows("conformance")] == ["https://example.com/a", "https://example.com/b"]
    api.conforms_to = ["https://example.com/a"]
    load_catalog(api, "conformance")
    assert [row["uri"] for row in rows("conformance")] == ["https://example.com/a"]


def test_collections_of_all_pages_and_what_vanished_is_gone(api: StacApi) -> None:
    described = {
        "title": "Five",
        "license": "CC0-1.0",
        "keywords": ["b", "a"],
        "providers": [{"name": "P"}],
        "odd:member": {"ü": [1, None, 2.5]},
        "extent": {
            "spatial": {"bbox": [[10, 20, -5, 30, 40, 5], [0, 0, 0, 0]]},
            "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]},
        },
    }
    api.collections = [make_collection(f"c{n}") for n in range(5)] + [make_collection("c5", **described)]
    api.collections_page_size = 2
    load_catalog(api, "collections")
    assert documents("collections") == api.collections
    row = rows("collections")[-1]
    assert [row[f"bbox_{corner}"] for corner in ("xmin", "ymin", "xmax", "ymax")] == [10, 20, 30, 40]
    assert (row["start_datetime"], row["end_datetime"]) == (datetime(2020, 1, 1, tzinfo=UTC), None)
    assert (row["title"], row["license"], json.loads(row["keywords"])) == ("Five", "CC0-1.0", ["b", "a"])
    assert json.loads(row["providers"]) == [{"name": "P"}]

    del api.collections[1:4]
    load_catalog(api, "collections")
    assert documents("collections") == api.collections

    api.collections.clear()
    load_catalog(api, "collections")
    assert rows("collections") == []


def test_a_collection_is_replaced_alone(api: StacApi) -> None:
    api.collections = [make_collection("c1", title="old"), make_collection("c2", title="old")]
    load_catalog(api, "collection", ["c1", "c2"])
    api.collections = [make_collection("c1", title="new"), make_collection("c2", title="new")]
    load_catalog(api, "collection", ["c1"])
    assert [(row["id"], row["title"]) for row in rows("collection")] == [("c1", "new"), ("c2", "old")]
    with pytest.raises(UnknownCollection, match="near matches: c1"):
        load_catalog(api, "collection", ["c11"])


def test_odd_collections_have_rows_too(api: StacApi) -> None:
    odd = [
        {"id": "extent", "extent": None},
        {"id": "bbox", "extent": {"spatial": {"bbox": [["w", 0, 0, 0]]}, "temporal": {"interval": [[1, 2]]}}},
        {"id": "none", "title": 3, "keywords": None, "description": None, "license": ["x"]},
    ]
    api.collections = [dict(document) for document in odd]
    load_catalog(api, "collections")
    assert documents("collections") == sorted(odd, key=lambda document: document["id"])
    assert [row["title"] for row in rows("collections")] == [None] * 3


@pytest.mark.parametrize("name", [None, 5])
def test_a_collection_without_a_name_is_refused_and_the_others_are_rows(api: StacApi, name: Any) -> None:
    api.collections = [{"id": "a"}, {"id": name, "title": "b"}, {"id": "c"}]
    result = load_catalog(api, "collections")
    assert [(refused.name, str(refused.error)) for refused in result.refused] == [
        ("entry 2", "it has no id, or one that is no text")
    ]
    assert [row["id"] for row in rows("collections")] == ["a", "c"]
    assert result.collection_ids == ("a", "c")


def served(text: bytes) -> Reply:
    return Reply(200, text, {"Content-Type": "application/json"})


@contextmanager
def sending(**bodies: bytes) -> Iterator[StacApi]:
    """An API with some documents that are sent byte for byte, by path; `__` stands for a slash."""

    class Sending(StacApi):
        def answer(self, request: Request) -> Reply:
            name = request.path.strip("/").replace("/", "__")
            return served(bodies[name]) if name in bodies else super().answer(request)

    with Sending(collections=[make_collection("c1"), make_collection("c2")]) as api:
        yield api


def as_text(document: str) -> Any:
    """The text that a JSON column holds in the place of a document which it cannot hold."""
    text = json.loads(document)
    return json.loads(text) if isinstance(text, str) else text


ODD = {
    "nul": b'{"id":"c1","title":"a\\u0000b","license":"x"}',
    "nan": b'{"id":"c1","title":"T","license":"x","summaries":{"v":[NaN]}}',
    "surrogate": b'{"id":"c1","title":"\\ud800","license":"x"}',
    "huge": b'{"id":"c1","title":"T","license":"x","summaries":{"v":[1e999]}}',
    "tiny": b'{"id":"c1","title":"T","license":"x","summaries":{"v":[1e-20000]}}',
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("table", ["collections", "collection"])
def test_a_document_that_no_column_holds_is_its_text_and_the_others_are_rows(table: str, kind: str) -> None:
    good = make_collection("c2")
    listing = b'{"collections":[' + ODD[kind] + b"," + json.dumps(good).encode() + b'],"links":[]}'
    with sending(collections=listing, collections__c1=ODD[kind]) as api:
        for _ in range(2):
            result = load_catalog(api, table, ["c1", "c2"])
            assert [row["id"] for row in rows(table)] == ["c1", "c2"]
            first, second = rows(table)
            assert repr(as_text(first["document"])) == repr(json.loads(ODD[kind]))
            assert json.loads(second["document"]) == good
            assert first["license"] == "x"
            assert first["title"] == {"surrogate": None, "nul": "a\0b" if holds_nul() else None}.get(
                kind, "T"
            )
            kept = json.loads(first["document"])
            assert result.misfits.get("document", 0) == isinstance(kept, str)
            assert isinstance(kept, str) or kind in ("nul", "tiny")


def test_other_documents_that_no_column_holds() -> None:
    classes = b'{"conformsTo":["a\\u0000b"],"v":NaN}'
    odd = b'{"properties":{"v":{"title":"a\\u0000","enum":[NaN]},"n\\u0000":{},"w":{}}}'
    with sending(queryables=odd, conformance=classes) as api:
        load_catalog(api, "queryables", ["c1"])
        load_catalog(api, "conformance")
    assert {row["name"]: row["title"] for row in rows("queryables") if not row["collection"]} == (
        {"v": "a\0", "n\0": None, "w": None} if holds_nul() else {"v": None, "n\ufffd": None, "w": None}
    )
    (schema,) = [row["schema"] for row in rows("queryables") if row["name"] == "v"]
    assert repr(as_text(schema)) == repr({"title": "a\0", "enum": [float("nan")]})
    assert [row["uri"] for row in rows("conformance")] == ["a\0b" if holds_nul() else "a\ufffdb"]


def test_queryables_of_the_root_and_of_collections(api: StacApi) -> None:
    api.collections = [make_collection("c1"), make_collection("c2")]
    api.queryables = {
        "datetime": {"type": "string", "format": "date-time", "title": "Time"},
        "eo:cloud_cover": {"type": ["number", "null"]},
        "odd": True,
    }
    load_catalog(api, "queryables", ["c1"])
    found = rows("queryables")
    assert {row["collection"] for row in found} == {None, "c1"}
    assert {row["name"]: (row["title"], row["type"], json.loads(row["schema"])) for row in found} == {
        "datetime": ("Time", "string", api.queryables["datetime"]),
        "eo:cloud_cover": (None, "number,null", api.queryables["eo:cloud_cover"]),
        "odd": (None, None, True),
    }
    load_catalog(api, "queryables")
    assert {row["collection"] for row in rows("queryables")} == {None, "c1", "c2"}

    api.queryables = {}
    load_catalog(api, "queryables", ["c1"])
    assert rows("queryables") == []


def test_an_empty_first_load_makes_the_table_with_all_its_columns(api: StacApi) -> None:
    api.queryables = {}
    load_catalog(api, "queryables")
    assert rows("queryables") == []
    assert [*column_types("queryables")][:5] == ["collection", "name", "title", "type", "schema"]


def test_an_api_without_queryables_says_so_and_the_table_stays(api: StacApi) -> None:
    api.collections = [make_collection("c1")]
    load_catalog(api, "queryables", ["c1"])
    before = rows("queryables")
    api.has_queryables = False
    with pytest.raises(EndpointMissing, match="queryables"):
        load_catalog(api, "queryables", ["c1"])
    assert rows("queryables") == before


@contextmanager
def linking(*links: dict[str, Any]) -> Iterator[StacApi]:
    """An API whose landing page has more links; `/page` is a JSON document and `/broken` is not."""

    class Linking(StacApi):
        def _landing_page(self) -> dict[str, Any]:
            root = super()._landing_page()
            return {**root, "links": root["links"] + [*links]}

        def answer(self, request: Request) -> Reply:
            bodies = {"/page": b'{"a":  1}', "/broken": b"<html>", "/list": b"[1]"}
            if request.path in bodies:
                return Reply(200, bodies[request.path], {"Content-Type": "application/json"})
            return super().answer(request)

    with Linking() as api:
        yield api


def test_landing_pages_are_fetched_where_they_are_json_of_this_origin(api: StacApi) -> None:
    def link(rel: str, href: str, type: str | None = "application/json") -> dict[str, Any]:
        return {"rel": rel, "href": href, "type": type, "title": f"T {rel}"}

    elsewhere = api.url
    added = [
        link("about", "./page"),
        link("broken", "/v1/broken"),
        link("list", "/v1/list"),
        link("gone", "gone"),
        link("image", "page", "image/png"),
        link("untyped", "page", None),
        link("foreign", f"{elsewhere}/collections"),
        link("item", "page"),
        link("child", "page"),
        {"rel": "odd", "href": None},
    ]
    with linking(*added) as linked:
        load_catalog(linked, "landing_pages")
        asked = [request.path for request in linked.requests]
        base = linked.url

    found = {row["rel"]: row for row in rows("landing_pages")}
    assert {rel: (row["status"], row["document"]) for rel, row in found.items() if rel in LINKED} == {
        "about": (200, as_stored('{"a":  1}')),
        "broken": (200, None),
        "list": (200, None),
        "gone": (404, as_stored('{"code": "404", "description": "there is no /gone"}')),
        "image": (None, None),
        "untyped": (None, None),
        "foreign": (None, None),
        "item": (None, None),
        "child": (None, None),
    }
    assert (found["about"]["href"], found["about"]["title"]) == (f"{base}/page", "T about")
    assert found["about"]["type"] == "application/json"
    assert found["service-doc"]["status"] is None
    assert json.loads(found["service-desc"]["document"])["openapi"] == "3.0.3"
    assert all(found[rel]["status"] is None for rel in ("self", "root", "data", "search"))
    assert api.requests == [], "nothing is asked of another origin"
    assert sorted(set(asked)) == [
        "/",
        "/api",
        "/broken",
        "/conformance",
        "/gone",
        "/list",
        "/page",
        "/queryables",
    ]


LINKED = {"about", "broken", "list", "gone", "image", "untyped", "foreign", "item", "child"}


def test_links_that_vanished_are_gone(api: StacApi) -> None:
    load_catalog(api, "landing_pages")
    before = {row["rel"] for row in rows("landing_pages")}
    api.has_conformance = False
    load_catalog(api, "landing_pages")
    assert before - {row["rel"] for row in rows("landing_pages")} == {"conformance"}


@pytest.mark.parametrize(
    "resource", ["collections", "conformance", "queryables", "client_root", "collection"]
)
def test_a_failed_fetch_leaves_the_table_as_it_was(api: StacApi, resource: str) -> None:
    api.collections = [make_collection("c1")]
    load_catalog(api, resource, ["c1"])
    before = rows(resource)
    assert before
    api.fault(lambda _: True, status=400, times=None)
    with pytest.raises(StacError, match="400"):
        load_catalog(api, resource, ["c1"])
    assert rows(resource) == before
