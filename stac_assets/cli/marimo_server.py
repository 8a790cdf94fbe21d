"""How a command becomes a server of marimo, which neither asks nor tells anything on the terminal."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

STDOUT = 1


def become_marimo(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become `marimo`, so that whoever ends this process ends the server.

    Ctrl-C ends it without a question. What it prints, a second address and advertisements, is dropped; its
    own `--quiet` ends with a traceback (marimo 0.25). Errors are printed.

    Args:
        arguments: of its command line.
        environment: of the server.
    """
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
    command = [sys.executable, "-m", "marimo", "--yes", *arguments]
    os.execve(command[0], command, environment)  # noqa: S606 - no shell, and the program is this Python
