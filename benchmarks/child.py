"""The process in which one thing is measured: `python -m benchmarks.child MODULE:FUNCTION ARGUMENTS RESULT`.

The function takes a clock and the arguments (JSON), measures inside the clock, asserts that everything
arrived, and returns further figures; all of them are written to the file RESULT.
"""

import importlib
import json
import sys
from pathlib import Path

from benchmarks.clock import Clock


def main(task: str, arguments: str, result: str) -> None:
    """Run `task` and write what it gave."""
    module, _, name = task.partition(":")
    function = getattr(importlib.import_module(f"benchmarks.work.{module}"), name)
    clock = Clock()
    figures = function(clock, **json.loads(arguments))
    found = {"seconds": clock.seconds, "peak_mb": clock.peak_mb, **figures}
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
