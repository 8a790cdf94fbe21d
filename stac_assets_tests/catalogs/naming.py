"""What the tests of several catalogs share: their sections and variables."""

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from stac_assets_tests.conftest import enter_project

SECTION = "sources.pystac_client_source"
VARIABLE = "SOURCES__PYSTAC_CLIENT_SOURCE__"


def configure(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    file: str = "config.toml",
    pipeline: dict[str, Any] | None = None,
    common: dict[str, Any] | None = None,
    **catalogs: dict[str, Any],
) -> None:
    """Write a file of settings, with a section for each catalog, and read the configuration anew."""
    section = {**(common or {}), **({"catalogs": catalogs} if catalogs else {})}
    text = tomlkit.dumps({"pipeline": pipeline or {}, "sources": {"pystac_client_source": section}})
    (project / ".dlt" / file).write_text(text, encoding="utf-8")
    enter_project(project, monkeypatch)


def variable(catalog: str, setting: str) -> str:
    """The environment variable of a setting of a catalog."""
    return f"{VARIABLE}CATALOGS__{catalog.upper()}__{setting.upper()}"
