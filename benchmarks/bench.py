"""What a scenario is handed: how much to load, how often to measure, and a place for what it finds."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.measure import Measurement, measure
from benchmarks.results import Findings, Line, Verdict
from benchmarks.sizes import Sizes

Way = tuple[str, str, Mapping[str, Any], int | None]
"""Its name, `MODULE:FUNCTION` of `benchmarks.work`, the arguments, and how many items must arrive."""


class Bench:
    """One run of the benchmark.

    Args:
        sizes: how much to load.
        repeat: how often each thing is measured.
        say: told in a line what goes on.
    """

    def __init__(self, sizes: Sizes, repeat: int, say: Callable[[str], None]) -> None:
        self.sizes = sizes
        self.findings = Findings()
        self._repeat = repeat
        self._say = say

    def compare(
        self,
        scenario: str,
        ways: list[Way],
        before: Callable[[], None] = lambda: None,
        after: Callable[[], str] = lambda: "",
        repeat: int | None = None,
    ) -> list[Line]:
        """Measure several ways in turn, again and again, so that a machine's moods meet all of them.

        `before` is called before each run, and `after` after it; what it returns becomes the line's note.
        `repeat` is for what takes minutes.
        """
        turns = repeat or self._repeat
        runs: list[list[Measurement]] = [[] for _ in ways]
        notes = [""] * len(ways)
        for turn in range(turns):
            for place, (what, task, arguments, _) in enumerate(ways):
                before()
                found = runs[place]
                found.append(measure(task, arguments))
                notes[place] = after()
                self._say(
                    f"{scenario}: {what}, run {turn + 1} of {turns}: "
                    f"{found[-1].seconds:.2f} s, {found[-1].peak_mb:.0f} MB"
                )
        lines = [
            Line(scenario, what, found, items, note)
            for (what, _, _, items), found, note in zip(ways, runs, notes, strict=True)
        ]
        self.findings.lines += lines
        return lines

    def judge(self, number: str, what: str, measured: float, limit: float, **more: Any) -> None:
        """Put a figure beside its target; `more` as of `Verdict`."""
        self.findings.verdicts.append(Verdict(number, what, measured, limit, **more))
