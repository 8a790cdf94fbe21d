"""`python -m benchmarks`: measure, print the tables, and with `--write` keep them in benchmarks/README.md."""

import argparse
import sys
import time

from rich.console import Console

from benchmarks.bench import Bench
from benchmarks.measure import TaskFailed
from benchmarks.report import print_report, write_report
from benchmarks.scenarios import SCENARIOS
from benchmarks.sizes import FULL, QUICK


def main() -> int:
    """Run the scenarios that were asked for; 1 where one could not be finished."""
    arguments = _parser().parse_args()
    repeat = arguments.repeat or (1 if arguments.quick else 3)
    console = Console(width=None if sys.stdout.isatty() else 150)
    progress = Console(stderr=True, soft_wrap=True)
    started = time.monotonic()

    def say(text: str) -> None:
        progress.print(f"[{time.monotonic() - started:4.0f} s] {text}", markup=False, highlight=False)

    bench = Bench(QUICK if arguments.quick else FULL, repeat, say)
    for name in [name for name in SCENARIOS if name in (arguments.only or SCENARIOS)]:
        try:
            SCENARIOS[name](bench)
        except TaskFailed as error:
            bench.findings.failures.append(f"{name}: {error}")
            say(bench.findings.failures[-1])
    form = f"{'quick' if arguments.quick else 'full'} form, median of {repeat}"
    print_report(bench.findings, form, console)
    if arguments.write:
        write_report(bench.findings, form)
    return 1 if bench.findings.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer items, each thing once: about two minutes"
    )
    parser.add_argument("--repeat", type=int, help="how often each thing is measured (3; quick: 1)")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="a scenario; may be given again")
    parser.add_argument("--write", action="store_true", help="keep the tables in benchmarks/README.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
