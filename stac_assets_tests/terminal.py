"""A command in a pseudo terminal, and the screen that its user sees."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0
PAUSE = 0.1
"""Seconds in which nothing comes once a picture is drawn; the next one begins later than that."""
ESCAPE = re.compile(r"\x1b\[(\??)(\d*)(?:;\d+)*([A-Za-z])")


class Screen:
    """What stands on an endless roll of lines, by the few controls that rich and this project use.

    Args:
        columns: the width, behind which a line goes on in the next one; a wide character counts as one.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._lines = [""]
        self._row = self._column = 0
        self._pending = ""
        self.has_cursor = True
        self.said = ""
        """All that was written."""

    @property
    def text(self) -> str:
        """The lines, without the blanks at their ends."""
        return "\n".join(line.rstrip() for line in self._lines).rstrip()

    def write(self, text: str) -> None:
        """Take what a command has written, which may end within an escape sequence."""
        self.said += text
        text = self._pending + text
        self._pending = ""
        while text:
            if text[0] == "\x1b":
                found = ESCAPE.match(text)
                if found is None:
                    self._pending = text
                    return
                self._control(*found.groups())
                text = text[found.end() :]
            else:
                self._put(text[0])
                text = text[1:]

    def _control(self, private: str, number: str, kind: str) -> None:
        if kind == "A":
            self._row = max(0, self._row - int(number or 1))
        elif kind == "K":
            self._lines[self._row] = ""
        elif private and number == "25":
            self.has_cursor = kind == "h"

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._feed()
        elif character.isprintable():
            if self._column == self._columns:
                self._feed()
                self._column = 0
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _feed(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append("")


class Terminal:
    """A command that runs in a terminal.

    Args:
        process: the command.
        handle: of the terminal.
        screen: what it shows.
    """

    def __init__(self, process: subprocess.Popen[bytes], handle: int, screen: Screen) -> None:
        self._process = process
        self._handle = handle
        self.screen = screen

    def until(self, is_there: Callable[[str], object]) -> str:
        """The screen's text as soon as something is there, and nothing is being drawn."""
        deadline = time.monotonic() + PATIENCE
        while select.select([self._handle], [], [], PAUSE)[0] or not is_there(self.screen.text):
            assert time.monotonic() < deadline, self.screen.text
            if not self._read():  # the command is gone
                assert is_there(self.screen.text), self.screen.text
                break
        return self.screen.text

    def press_ctrl_c(self) -> None:
        """What the key does: the terminal shows it, and interrupts the command."""
        os.write(self._handle, b"\x03")

    def end(self) -> int:
        """The exit status, once all has been said."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def _read(self) -> bool:
        if not select.select([self._handle], [], [], PATIENCE)[0]:
            raise AssertionError(f"nothing more came:\n{self.screen.text}")
        try:
            piece = os.read(self._handle, 1 << 16)
        except OSError:  # as Linux tells that the command is gone
            return False
        self.screen.write(piece.decode(errors="replace"))
        return bool(piece)


@contextmanager
def in_terminal(
    folder: Path, environment: dict[str, str], *command: str, columns: int = 80, lines: int = 24
) -> Iterator[Terminal]:
    """Run a command in a folder, in a terminal of its own of some size."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    gone = ("COLUMNS", "LINES", "FORCE_COLOR")
    its_environment = {name: value for name, value in environment.items() if name not in gone}

    def take_over() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    process = subprocess.Popen(
        command,
        cwd=folder,
        env={"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **its_environment},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=take_over,
    )
    os.close(its)
    try:
        yield Terminal(process, ours, Screen(columns))
    finally:
        process.kill()
        process.wait()
        os.close(ours)
