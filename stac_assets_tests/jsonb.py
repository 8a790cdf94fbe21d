"""What PostgreSQL's jsonb makes of JSON: exact numbers, but no exponent, no -0, and no NUL."""

from decimal import Decimal
from typing import Any


def spelled_by_jsonb(document: Any) -> Any:
    """Parsed JSON as it is after a way through jsonb.

    jsonb holds the number that was written, not the nearest double: `1e+23` comes back as its 24 digits,
    which Python reads as an integer.
    """
    match document:
        case dict():
            return {name: spelled_by_jsonb(value) for name, value in document.items()}
        case list():
            return [spelled_by_jsonb(value) for value in document]
        case float():
            written = repr(document)
            return int(Decimal(written)) if "e+" in written else document or 0.0
        case _:
            return document


def has_nul(document: Any) -> bool:
    """Whether a name or a text of parsed JSON holds the character U+0000."""
    match document:
        case dict():
            return any(has_nul(name) or has_nul(value) for name, value in document.items())
        case list():
            return any(map(has_nul, document))
        case _:
            return isinstance(document, str) and "\0" in document
