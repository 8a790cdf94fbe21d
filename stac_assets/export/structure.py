"""The structure of a collection's documents: which members there are, and of what types.

All files of a collection have one schema, which follows from the structure. DuckDB finds it in the documents
of a table (`json_group_structure`), in these words: the name of a type, `{"member": …}` for an object, `[…]`
for a list. What is of several types is text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import msgspec

Json = Any
"""The structure of a JSON value: a text, a dictionary of members, or a list of one structure."""

TEXT, INTEGER, NUMBER, NOTHING = "VARCHAR", "BIGINT", "DOUBLE", "NULL"
TIME = "TIMESTAMP WITH TIME ZONE"
_NUMBERS = {"UBIGINT": INTEGER, "BIGINT": INTEGER, "HUGEINT": INTEGER, "UHUGEINT": INTEGER, "DOUBLE": NUMBER}
TIMES = ("datetime", "start_datetime", "end_datetime", "created", "updated")
"""Properties whose times the columns of a row hold."""
OTHER_TIMES = ("expires", "published", "unpublished")
"""Properties that STAC's extensions say are times."""
MEMBERS = (
    "id",
    "collection",
    "stac_version",
    "stac_extensions",
    "geometry",
    "bbox",
    "links",
    "assets",
    "properties",
)
"""Members of an item that are columns in any case."""
PROJECTED = "proj:geometry"
"""A property, of items and of assets, that is a geometry."""
MOST_ASSETS = 100
"""Keys of assets that a struct has at most; more of them are a map."""
MOST_MEMBERS = 100
"""Members of an object further down that a struct has at most; more of them are JSON, as text."""
MOST_LEVELS = 16
"""Objects and lists within each other that have types; what is deeper is JSON, as text. Arrow takes 64."""
LEAST_ITEMS = 20
"""Items that must be there before their keys are taken for names of files."""
LINK: dict[str, Json] = dict.fromkeys(("href", "rel", "type", "title"), TEXT)

AssetsAs = Literal["struct", "map"]


@dataclass(frozen=True)
class Structure:
    """The structure of items.

    Args:
        properties: of each property.
        assets: of each asset, by key; of a map, of any asset under the key `*`.
        links: of a link.
        others: of members that the specification does not know.
        assets_as: what holds the assets.
        dimensions: 3 if each box has heights.
    """

    properties: dict[str, Json] = field(default_factory=dict)
    assets: dict[str, Json] = field(default_factory=dict)
    links: dict[str, Json] = field(default_factory=lambda: dict(LINK))
    others: dict[str, Json] = field(default_factory=dict)
    assets_as: AssetsAs = "struct"
    dimensions: int = 3

    @classmethod
    def found(cls, properties: Json, assets: Json, links: Json, others: Json, dimensions: int) -> "Structure":
        """The structure of items, of whose members DuckDB has found these."""
        link = merged(links, [LINK])
        return cls(
            _object(properties),
            _object(assets),
            dict(link[0]) if isinstance(link, list) and isinstance(link[0], dict) else dict(LINK),
            {name: kind for name, kind in _object(others).items() if name not in MEMBERS},
            dimensions=dimensions,
        ).settled()

    @classmethod
    def read(cls, text: bytes) -> Self:
        """The structure that `text` writes."""
        return cls(**msgspec.json.decode(text))

    def text(self) -> bytes:
        """The structure, written so that it can be compared and read again."""
        return msgspec.json.encode(self, order="sorted")

    def with_(self, other: "Structure") -> "Structure":
        """The structure of the items of both."""
        both: Structure = Structure(
            merged(self.properties, other.properties),
            merged(self._assets_like(other), other._assets_like(self)),
            merged(self.links, other.links),
            merged(self.others, other.others),
            "map" if "map" in (self.assets_as, other.assets_as) else "struct",
            min(self.dimensions, other.dimensions),
        )
        return both.settled()

    def settled(self, keys_of_one_item: int = 0, items: int = 0) -> "Structure":
        """The same, whose assets are a map where their keys grow without bound.

        Args:
            keys_of_one_item: how many of the keys only a single item has.
            items: of how many items that is told.
        """
        if self.assets_as == "map":
            return self
        are_names = items >= LEAST_ITEMS and keys_of_one_item > len(self.assets) / 2
        return self.as_map() if are_names or len(self.assets) > MOST_ASSETS else self

    def as_map(self) -> "Structure":
        """The same with a map of assets."""
        return replace(self, assets={"*": _any_of(self.assets)}, assets_as="map")

    def _assets_like(self, other: "Structure") -> dict[str, Json]:
        if other.assets_as == "map" and self.assets_as == "struct":
            return {"*": _any_of(self.assets)} if self.assets else {}
        return self.assets

    # The schema that follows from it --------------------------------------------------------------

    def has_schema_of(self, other: "Structure") -> bool:
        """Whether files of both have one schema, although one may know more of what it is made of."""
        return self._schema == other._schema

    @property
    def _schema(self) -> bytes:
        kinds = (self.of_properties, self.of_assets, self.of_links, self.of_others, self.dimensions)
        return msgspec.json.encode(kinds, order="sorted")

    def has_lost(self) -> list[str]:
        """Properties that have no column, because a member of the item has that name."""
        return sorted(name for name in self.properties if name in MEMBERS or name in self.others)

    def as_text(self) -> list[str]:
        """Properties of several types, or objects with too many members or none, which are JSON as text."""
        return sorted(
            name
            for name, kind in self.properties.items()
            if kind == "JSON" or (isinstance(kind, dict) and _typed(kind) == TEXT)
        )

    @property
    def of_properties(self) -> dict[str, Json]:
        """What DuckDB is to make of the properties that have columns."""
        kinds = {
            name: _typed(kind)
            for name, kind in self.properties.items()
            if name not in MEMBERS and name not in self.others
        }
        kinds |= {name: TIME for name in OTHER_TIMES if kinds.get(name) == TEXT}
        return _with_geometry(kinds)

    @property
    def of_assets(self) -> Json:
        """What DuckDB is to make of the assets; None where there are none."""
        if self.assets_as == "map":
            return f"MAP({TEXT}, {_sql(_asset(self.assets['*']))})"
        return {key: _asset(kind) for key, kind in self.assets.items()} or None

    @property
    def of_links(self) -> Json:
        """What DuckDB is to make of the links."""
        return [_typed(self.links)]

    @property
    def of_others(self) -> dict[str, Json]:
        """What DuckDB is to make of other members."""
        return {name: _typed(kind) for name, kind in self.others.items()}


def of_document(column: str, text: str) -> Json:
    """The structure of the document of one column of one row.

    DuckDB calls an object without members JSON, as it does a list of several types. Assets and links that are
    no objects say nothing of what others have.

    Args:
        column: its name.
        text: what DuckDB has found.
    """
    kind = _with_empty_objects(msgspec.json.decode(text))
    if column == "assets" and isinstance(kind, dict):
        return {key: each if isinstance(each, dict) else NOTHING for key, each in kind.items()}
    if column == "links" and isinstance(kind, list):
        return [each if isinstance(each, dict) else NOTHING for each in kind]
    return kind


def _with_empty_objects(kind: Json, depth: int = 0) -> Json:
    if isinstance(kind, dict | list) and depth > MOST_LEVELS:
        return "JSON"
    if isinstance(kind, dict):
        return {name: _with_empty_objects(each, depth + 1) for name, each in kind.items()}
    if isinstance(kind, list):
        return kind if kind == ["JSON"] else [_with_empty_objects(kind[0], depth + 1)]
    return {} if kind == "JSON" else kind


def merged(one: Json, other: Json) -> Json:
    """The structure of what has either of two structures."""
    if one == other or other == NOTHING:
        return one
    if one == NOTHING:
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*one, *other])
        return {name: merged(one.get(name, NOTHING), other.get(name, NOTHING)) for name in names}
    if isinstance(one, list) and isinstance(other, list):
        return [merged(one[0], other[0])]
    if isinstance(one, str) and isinstance(other, str) and {one, other} <= _NUMBERS.keys():
        return NUMBER if NUMBER in (one, other) else INTEGER
    return "JSON"


def _any_of(kinds: Mapping[str, Json]) -> Json:
    return _all(kind for kind in kinds.values())


def _all(kinds: Iterable[Json]) -> Json:
    found: Json = NOTHING
    for kind in kinds:
        found = merged(found, kind)
    return found


def _object(kind: Json) -> dict[str, Json]:
    """The members of what is an object in every row; DuckDB calls one without members JSON."""
    return dict(kind) if isinstance(kind, dict) else {}


def _asset(kind: Json) -> dict[str, Json]:
    members = {"href": TEXT} | _object(kind)
    return _with_geometry({name: _typed(members[name]) for name in sorted(members)})


def _with_geometry(kinds: dict[str, Json]) -> dict[str, Json]:
    return kinds | {PROJECTED: TEXT} if PROJECTED in kinds else kinds


def _typed(kind: Json) -> Json:
    """The structure with types of columns; what is null in all documents is text."""
    if isinstance(kind, list):
        return [_typed(kind[0])]
    if isinstance(kind, dict):
        return {name: _typed(each) for name, each in kind.items()} if 0 < len(kind) <= MOST_MEMBERS else TEXT
    return _NUMBERS.get(kind) or ("BOOLEAN" if kind == "BOOLEAN" else TEXT)


def _sql(kind: Json) -> str:
    """A structure as DuckDB's SQL names the type."""
    if isinstance(kind, list):
        return f"{_sql(kind[0])}[]"
    if isinstance(kind, dict):
        members = (f'"{name.replace(chr(34), chr(34) * 2)}" {_sql(each)}' for name, each in kind.items())
        return f"STRUCT({', '.join(members)})"
    return kind
