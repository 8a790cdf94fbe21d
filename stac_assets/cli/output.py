"""Output that a command can write whatever takes it: a narrow encoding, a closed pipe, a full disk.

By the time that a command reports, rows are stored. So what cannot be written is lost, and nothing else.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


@contextmanager
def lasting_output() -> Iterator[None]:
    """Inside of the context nothing that is written to stdout or stderr raises an error.

    A character that the encoding lacks becomes a question mark. Where nothing can be written at all, a line
    on stderr says so once, unless somebody has closed the pipe on purpose, as `head` does.
    """
    usual = sys.stdout, sys.stderr
    for stream in usual:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.stdout, sys.stderr = (stream and _Lasting(stream) for stream in usual)  # type: ignore[assignment]
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, _Lasting):
                stream.flush()
        sys.stdout, sys.stderr = usual


class _Lasting:
    """A stream that drops what cannot be written.

    Args:
        stream: takes what is written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_lost = False
        self.has_failed = False
        """Whether something is lost that somebody wanted to read."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text if that is possible."""
        try:
            if not self._is_lost:
                self._stream.write(text)
        except (OSError, ValueError) as error:  # a ValueError is that of a closed file
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Write what is kept back if that is possible."""
        try:
            if not self._is_lost:
                self._stream.flush()
        except (OSError, ValueError) as error:
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        self._is_lost = True
        with suppress(OSError, ValueError):  # else the interpreter would fail at it when it ends
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        self.has_failed = not isinstance(error, BrokenPipeError)
        if self.has_failed and sys.stderr is not self:
            print(f"warning: the output cannot be written ({error}); the rest of it is lost", file=sys.stderr)
