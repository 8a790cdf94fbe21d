"""What the scenarios find: lines of a table, and verdicts beside the targets of the issue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.measure import Measurement


@dataclass(frozen=True)
class Line:
    """One thing that was measured, several times.

    Args:
        scenario: what it is part of.
        what: its name.
        runs: each time that it was measured.
        items: how many items arrived each time; None where none do.
        note: more about it.
    """

    scenario: str
    what: str
    runs: Sequence[Measurement]
    items: int | None = None
    note: str = ""

    @property
    def seconds(self) -> float:
        """The median."""
        return median(run.seconds for run in self.runs)

    @property
    def peak_mb(self) -> float:
        """The median of the most memory of each run."""
        return median(run.peak_mb for run in self.runs)

    @property
    def rate(self) -> float | None:
        """Items per second."""
        return self.items / self.seconds if self.items is not None else None

    def figure(self, name: str) -> float:
        """The median of one of the task's own figures."""
        return median(float(run.figures[name]) for run in self.runs)


@dataclass(frozen=True)
class Verdict:
    """A target, and what came.

    Args:
        number: of the target in the issue.
        what: what is compared.
        measured: what came.
        limit: the target, which is a ceiling, or a floor if `at_least`.
        unit: of both.
    """

    number: str
    what: str
    measured: float
    limit: float
    unit: str = "×"
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    @property
    def target(self) -> str:
        """The target in words."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"


@dataclass
class Findings:
    """All that a run of the benchmark found."""

    lines: list[Line] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Scenarios that could not be finished, with the reason."""
