"""What a destination cannot hold although it is a valid STAC item: such a document is rejected, alone."""

import re

from stac_assets.stac.documents import Item

WITHOUT_NUL = {"postgres", "redshift"}
"""Destinations whose text and JSON types refuse the character U+0000 (PostgreSQL manual, 8.3 and 8.14)."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def refusal(item: Item, destination: str) -> str | None:
    """Why `destination` (a dlt destination name) cannot hold `item`; None where it can."""
    if destination.rpartition(".")[2] in WITHOUT_NUL and any(_NUL.search(raw) for raw in item.values()):
        return f"it holds the character U+0000, which {destination.rpartition('.')[2]} cannot store"
    return None
