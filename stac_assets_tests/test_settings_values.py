"""Values of settings that look usable and are not, and some that look odd and are."""

from pathlib import Path
from typing import Any

import pytest
from dlt.common.runtime.run_context import switch_context

from stac_assets.settings import Settings, read_settings
from stac_assets.stac.errors import ConfigurationError


@pytest.mark.parametrize("where", ["environment", "file"])
def test_an_empty_text_is_nothing(project: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    (project / ".dlt" / "config.toml").write_text(
        '[sources.pystac_client_source]\nbase_url = "https://example.com/stac"\ncollections = ["a", "b"]\n'
    )
    if where == "environment":
        for name in ("BASE_URL", "COLLECTIONS", "START_DATE"):
            monkeypatch.setenv(f"SOURCES__PYSTAC_CLIENT_SOURCE__{name}", "")
    else:
        (project / ".dlt" / "secrets.toml").write_text('[sources.pystac_client_source]\nbase_url = ""\n')
    switch_context(".")
    settings = read_settings()
    assert (settings.base_url, settings.collections) == ("https://example.com/stac", ("a", "b"))


@pytest.mark.parametrize("given", [["*"], "*", ("*",)])
def test_a_star_alone_is_all_collections(project: Path, given: Any) -> None:
    assert Settings(collections=given).all_collections
    with pytest.raises(ConfigurationError, match="alone"):
        read_settings(collections=["a", "*"])


@pytest.mark.parametrize(
    "box", [[10, 50, 20, 40], [0, -200, 1, 0], [0, 0, float("nan"), 1], [True, 0, 1, 1], [0, 0, 1, "inf"]]
)
def test_a_box_that_is_none(project: Path, box: list[Any]) -> None:
    with pytest.raises(ConfigurationError, match="bbox"):
        read_settings(bbox=box)
