"""The secrets of a project, so that they can be hidden wherever one should turn up."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from stac_assets.catalog import Catalog, each_catalog
from stac_assets.pipeline.place import project_folder
from stac_assets.stac.errors import StacError

CONFIGURING = ("SOURCES__", "DESTINATION__", "CREDENTIALS", "API_KEY")
"""How variables begin that dlt reads as settings."""
_SECRET = re.compile(r"pass|secret|token|key|credential|private|sas\b|signature|header", re.IGNORECASE)
_NO_SECRET = re.compile(r"(_header|_parameter|token_url|_key_id|disable_\w+)$", re.IGNORECASE)
"""Names that look like those of secrets and are none."""


def secrets() -> list[str]:
    """Whatever is a secret: what signs requests, and what the destination is reached with.

    Those of the files come from the file and the variables themselves, so that one is known whose catalog
    cannot be used.
    """
    found = set[str]()
    with suppress(StacError):
        for catalog in each_catalog():
            if isinstance(catalog, Catalog):
                found.update(_of_api(catalog))
    for name in ("secrets.toml", "config.toml"):
        with suppress(OSError, ValueError):
            text = (project_folder() / ".dlt" / name).read_text(encoding="utf-8")
            found.update(_in(tomllib.loads(text), ""))
    for name, value in os.environ.items():
        if name.startswith(CONFIGURING):
            found.update(_of(name, value))
    return sorted(found)


def _of_api(catalog: Catalog) -> Iterator[str]:
    settings = catalog.settings
    identity = settings.credentials
    yield from settings.headers.values()
    for value in (settings.api_key, identity.username, identity.password):
        if value:
            yield value
    if identity.username is not None:
        yield f"{identity.username}:{identity.password}"  # which goes into a header in base64
    if identity.oauth is not None:
        yield identity.oauth.client_secret


def _in(table: Any, name: str) -> Iterator[str]:
    if isinstance(table, Mapping):
        for key, value in table.items():
            below = "header" if name == "headers" else str(key)
            yield from _in(value, below)
    elif isinstance(table, list):
        for value in table:
            yield from _in(value, name)
    elif isinstance(table, str):
        yield from _of(name, table)


def _of(name: str, value: str) -> Iterator[str]:
    """The secrets of one value: the whole of it, or what a URL holds."""
    if "://" in value:
        with suppress(ValueError):
            parts = urlsplit(value)
            if parts.password:
                yield from (parts.password, unquote(parts.password))
            yield from (
                text
                for pair in parts.query.split("&")
                if _SECRET.search(pair.partition("=")[0])
                for text in (pair.partition("=")[2],)
                if text
            )
    elif _SECRET.search(name.rpartition("__")[2] or name) and not _NO_SECRET.search(name):
        yield value
    if found := re.search(r"password=(?:'([^']*)'|(\S+))", value):  # libpq's words
        yield found[1] or found[2]
