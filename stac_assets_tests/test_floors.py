"""What import-linter cannot see: the STAC floor does not know the names of the floors above it."""

from pathlib import Path

import pytest

import stac_assets.stac

FLOOR = Path(stac_assets.stac.__file__).parent


@pytest.mark.parametrize(
    "word", ["pystac_client_source", ".dlt", "secrets.toml", "config.toml", "SOURCES__", "dagster", "dlt."]
)
def test_the_stac_floor_does_not_know_where_settings_stand(word: str) -> None:
    sources = {path.relative_to(FLOOR): path.read_text(encoding="utf-8") for path in FLOOR.rglob("*.py")}
    assert len(sources) > 30
    assert [str(path) for path, text in sources.items() if word.lower() in text.lower()] == []


def test_only_the_descriptions_of_endpoints_speak_of_materializing() -> None:
    spoken = [
        path for path in FLOOR.rglob("*.py") if "materializ" in path.read_text(encoding="utf-8").lower()
    ]
    assert {path.parent for path in spoken} <= {FLOOR / "endpoints"}
