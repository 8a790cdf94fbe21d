"""Calls in a process of their own, which may be killed, limited or cut off: a server forks for each of them.

with Forker() as forker:
    call = forker.start(load_day, url=api.url)
    call.heard()  # what the function said first
    call.kill()
    assert call.ended().status == -signal.SIGKILL

The server has imported Python, dlt and the rest already; a process of its own would take seconds to do so.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from dlt.common.runtime.run_context import switch_context

REPOSITORY = Path(__file__).parent.parent
SERVER = "import stac_assets_tests.forked as forked; forked.serve()"

_channel: list[IO[str]] = []
"""In a forked process: what `say` writes to."""


@dataclass
class Ended:
    """How a call ended: the process's status, and what the function returned or raised, as JSON knows it."""

    status: int
    returned: Any = None
    raised: str = ""
    """The traceback, whose last lines name the error."""
    said: list[Any] = field(default_factory=list)


class Call:
    """A call that runs."""

    def __init__(self, pid: int, lines: IO[str]) -> None:
        self.pid = pid
        self._lines = lines
        self._ended = Ended(0)
        self._is_over = False

    def heard(self) -> Any:
        """What the function says next; None once it has ended."""
        while not self._is_over:
            told = json.loads(self._lines.readline())
            match told:
                case {"said": said}:
                    self._ended.said.append(said)
                    return said
                case {"returned": returned}:
                    self._ended.returned = returned
                case {"raised": raised}:
                    self._ended.raised = raised
                case {"ended": status}:
                    self._ended.status, self._is_over = status, True
        return None

    def kill(self) -> None:
        """`kill -9`, unless it has ended already."""
        if not self._is_over:
            with suppress(ProcessLookupError):  # it has ended just now
                os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> Ended:
        """Wait for the end."""
        while self.heard() is not None:
            pass
        return self._ended


class Forker:
    """The server; one call at a time."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def start(self, function: Callable[..., Any], **arguments: Any) -> Call:
        """Call a function of a module, in the current folder and environment; arguments that JSON knows."""
        assert self._process.stdin is not None and self._process.stdout is not None
        name = f"{function.__module__}:{function.__qualname__}"
        wish = {"folder": str(Path.cwd()), "environment": dict(os.environ), "function": name}
        print(json.dumps({**wish, "arguments": arguments}), file=self._process.stdin, flush=True)
        return Call(json.loads(self._process.stdout.readline())["pid"], self._process.stdout)

    def run(self, function: Callable[..., Any], **arguments: Any) -> Ended:
        """Call a function, and wait for its end."""
        return self.start(function, **arguments).ended()


def say(what: Any) -> None:
    """Tell the process that started this call something; nobody listens outside of one."""
    _tell(said=what)


def _tell(**told: Any) -> None:
    for channel in _channel:
        print(json.dumps(told, default=repr), file=channel, flush=True)


def serve() -> None:
    """Fork for every line of standard input; tell on standard output how it goes."""
    _channel.append(sys.stdout)
    for line in sys.stdin:
        wish = json.loads(line)
        module, _, name = wish["function"].partition(":")
        function = getattr(importlib.import_module(module), name)
        child = os.fork()
        if child == 0:
            _call(function, wish)
        _tell(ended=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _call(function: Callable[..., Any], wish: dict[str, Any]) -> None:
    try:
        _channel[0] = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        _tell(pid=os.getpid())
        os.environ.clear()
        os.environ.update(wish["environment"])
        os.chdir(wish["folder"])
        switch_context(".")
        _tell(returned=function(**wish["arguments"]))
    except BaseException:
        _tell(raised=traceback.format_exc())
        os._exit(1)
    os._exit(0)
