"""The README's own code, to be run as it stands there."""

import re

from stac_assets_tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """All fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def block(language: str, start: str) -> str:
    """The fenced block of `language` that begins with `start`."""
    (found,) = [text for text in blocks(language) if text.startswith(start)]
    return found


def paragraph(text: str, start: str) -> str:
    """The paragraph of a block that begins with `start`."""
    (found,) = [part for part in text.split("\n\n") if part.startswith(start)]
    return found
