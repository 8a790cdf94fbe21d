"""What all tests of many loads at once have in common."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def by_date(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads ask by date, by which tests tell runs apart; such small collections would be read whole."""
    monkeypatch.setenv("SOURCES__PYSTAC_CLIENT_SOURCE__LARGEST_WHOLE_COLLECTION", "0")
