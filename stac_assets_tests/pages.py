"""The pages of the documentation: their blocks of code, their tables, links and headings.

The words behind the opening fence say what a block is, and so how it is tested: first the language, as GitHub
reads it, then what we add, which no reader sees. ```` ```sh parsed ```` is a block of commands that are only
parsed. `test_pages.py` has one test for each kind, and a block of any other kind fails.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stac_assets_tests.conftest import REPOSITORY

PAGES = tuple(
    sorted(
        path
        for pattern in ("README.md", "docs/*.md", "deploy/README.md", "benchmarks/README.md")
        for path in REPOSITORY.glob(pattern)
    )
)
FENCE = re.compile(r"^( *)```([^`\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Args:
        page: path of its page, from the repository's root.
        line: where it begins, counted from 1.
        kind: what stands behind the opening fence, such as `sh parsed`.
        text: what is between the fences.
    """

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.kind}"


def read(page: str | Path) -> str:
    """The text of a page, named by its path from the repository's root."""
    return (REPOSITORY / page).read_text(encoding="utf-8")


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, from top to bottom."""
    text = read(page)
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        name = page.relative_to(REPOSITORY).as_posix()
        yield Block(name, line, found[2].strip(), textwrap.dedent(found[3]))


BLOCKS = tuple(block for page in PAGES for block in blocks_of(page))


def block(page: str, kind: str, start: str = "") -> str:
    """The text of the block of a page that is of a kind and begins with `start`."""
    (found,) = [
        each.text for each in BLOCKS if (each.page, each.kind) == (page, kind) and each.text.startswith(start)
    ]
    return found


def paragraph(text: str, start: str) -> str:
    """The paragraph of a block that begins with `start`."""
    (found,) = [part for part in text.split("\n\n") if part.startswith(start)]
    return found


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", text)


def table(page: str, heading: str) -> list[dict[str, str]]:
    """The rows of the table of a page whose first column has this heading, by the columns' headings."""
    lines = iter(prose(read(page)).splitlines())
    headings = next(_cells(line) for line in lines if line.startswith(f"| {heading} |"))
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(headings, _cells(line), strict=True)))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def anchors(text: str) -> set[str]:
    """The fragments by which GitHub links to the headings of a page."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(text)))
    return {heading.strip().replace(" ", "-") for heading in plain}
