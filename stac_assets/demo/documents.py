"""The frame of every sample document: a small valid item or collection, and what an item consists of.

The demo, the tests and the benchmarks make all their documents with it.
"""

from typing import Any

Json = dict[str, Any]

SITE = "https://data.example.com"


def item(id: str, collection: str, properties: Json, **members: Any) -> Json:
    """A small valid item; `members` adds or replaces top-level ones."""
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": id,
        "collection": collection,
        "geometry": {"type": "Point", "coordinates": [10.0, 50.0]},
        "bbox": [10.0, 50.0, 10.0, 50.0],
        "properties": properties,
        "links": [],
        "assets": {"data": asset(f"{SITE}/{collection}/{id}.tif", "image/tiff", "data")},
        **members,
    }


def collection(id: str, **members: Any) -> Json:
    """A small valid collection; `members` adds or replaces top-level ones."""
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": id,
        "description": f"Collection {id}",
        "license": "proprietary",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": [],
        **members,
    }


def published_item(id: str, collection: str, properties: Json, *extensions: str, **members: Any) -> Json:
    """An item with a publisher's links, and with the schemas of STAC extensions such as "eo/v1.1.0"."""
    home = f"{SITE}/stac/collections/{collection}"
    hrefs = {"canonical": f"{home}/items/{id}", "via": f"{SITE}/{collection}/{id}.json"}
    hrefs |= {"collection": home, "license": f"{home}/license", "about": f"{SITE}/stac"}
    links = [{"rel": rel, "type": "application/json", "href": href} for rel, href in hrefs.items()]
    schemas = [f"https://stac-extensions.github.io/{extension}/schema.json" for extension in extensions]
    return item(id, collection, properties, **{"stac_extensions": schemas, "links": links, **members})


def asset(href: str, media_type: str, role: str, **members: Any) -> Json:
    """One file of an item; `members` adds what is particular to it, such as its bands."""
    return {"href": href, "type": media_type, "roles": [role], **members}


def footprint(west: float, south: float, width: float, height: float, lean: float = 0.0) -> Json:
    """The `geometry` and `bbox` of a rectangle in degrees, its upper edge moved eastwards by `lean`.

    Across 180 degrees there are two polygons, and the bbox begins east of where it ends (RFC 7946).
    """

    def polygon(left: float, right: float) -> list[list[list[float]]]:
        corners = ((left, south), (right, south), (right + lean, north), (left + lean, north), (left, south))
        return [[[round(number, 6) for number in corner] for corner in corners]]

    east, north = west + width, south + height
    box = [west + min(lean, 0), south, east + max(lean, 0), north]
    geometry: Json = {"type": "Polygon", "coordinates": polygon(west, east)}
    if east > 180:
        box[2] -= 360
        geometry = {"type": "MultiPolygon", "coordinates": [polygon(west, 180), polygon(-180, east - 360)]}
    return {"geometry": geometry, "bbox": [round(number, 6) for number in box]}
