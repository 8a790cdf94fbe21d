"""Which extensions of STAC API an API promises, by its conformance classes."""

from collections.abc import Iterable

CLAIMS = {
    "fields": ("item-search#fields",),
    "filter": ("#filter", "/filter", "basic-cql2"),
    "query": ("item-search#query",),
    "sort": ("item-search#sort", "/sort"),
}
"""The ends of the URIs of the conformance classes of extensions."""


def claims(classes: Iterable[str], extension: str) -> bool:
    """Whether these conformance classes promise an extension, which is a key of `CLAIMS`."""
    return has_class(classes, *CLAIMS[extension])


def has_class(classes: Iterable[str], *ends: str) -> bool:
    """Whether the URI of one of these conformance classes ends with one of `ends`."""
    return any(uri.rstrip("/").endswith(ends) for uri in classes)
