"""What became of a partition whose answer had shrunk, and when an answer has."""

from dataclasses import dataclass

from stac_assets.stac.wording import counted

MANY_ROWS = 50
"""A partition that has fewer rows may lose all of them without being asked for again."""
SHARE = 10
"""An answer has shrunk that has less than one of so many rows."""


@dataclass(frozen=True)
class Shrinkage:
    """What became of a partition whose answer had shrunk.

    Args:
        rows: the rows that the table held.
        first: the documents of the first answer.
        second: those of the second.
    """

    rows: int
    first: int
    second: int

    @property
    def is_confirmed(self) -> bool:
        """Whether the second answer was as small."""
        return has_shrunk(self.rows, self.second)

    def __str__(self) -> str:
        then = "and again with" if self.is_confirmed else "and asked again with"
        return (
            f"the table held {counted(self.rows, 'row')}, and the API answered with "
            f"{counted(self.first, 'document')}, {then} {self.second:,}"
        )


def has_shrunk(rows: int, documents: int) -> bool:
    """Whether an answer of so many documents is suspiciously small where the table holds so many rows."""
    return rows >= MANY_ROWS and documents * SHARE < rows
