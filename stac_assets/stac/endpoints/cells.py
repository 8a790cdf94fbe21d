"""Values of JSON documents as cells of a row."""

import json
from typing import TYPE_CHECKING, Any

from stac_assets.stac.endpoints.endpoint import Row

if TYPE_CHECKING:
    from stac_assets.stac.documents import Item


def texts(document: dict[str, Any], *names: str) -> Row:
    """Members that are texts; others are null."""
    return {name: text(document.get(name)) for name in names}


def text(value: Any) -> str | None:
    """`value` if it is a text, else null."""
    return value if isinstance(value, str) else None


def json_text(members: "Item", name: str) -> bytes | None:
    """The JSON text of a member as the API sent it; null where it is absent or null."""
    raw = members.get(name)
    return None if raw is None or bytes(raw) == b"null" else bytes(raw)


def written(value: Any) -> bytes:
    """JSON text of a decoded value; what is not quite JSON (NaN) as Python writes it."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()
