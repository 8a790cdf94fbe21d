"""Waiting for whoever holds a dataset: the log says so, and it has a limit."""

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from stac_assets.stac.errors import StacError

POLL_SECONDS = 0.25

Tell = Callable[[str], None]

logger = logging.getLogger("stac_assets")


class DatasetBusy(StacError):
    """Somebody else held the dataset for longer than `lock_timeout`."""


@dataclass(frozen=True)
class Holder:
    """Who holds a dataset."""

    host: str
    pid: int
    doing: str
    """The Dagster run or the command."""
    since: str
    """UTC, ISO 8601, to the second."""

    @classmethod
    def this(cls, doing: str | None) -> Self:
        """This process, as of now. Without `doing` it is named after its program."""
        return cls(
            socket.gethostname(), os.getpid(), doing or Path(sys.argv[0]).name, moment(datetime.now(UTC))
        )

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """The holder that a file names; None where it names none."""
        with suppress(OSError, ValueError, TypeError):
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        return None

    def write(self, file: Path) -> None:
        """Name this holder in a file. Nothing but messages depends on it, so that it may fail."""
        fresh = file.with_name(f".{file.name}.{self.pid}")
        with suppress(OSError):
            fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
            fresh.replace(file)

    def __str__(self) -> str:
        return f"{self.doing}, process {self.pid} on {self.host}, since {self.since}"


def moment(time: datetime) -> str:
    """A time as messages show it."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Wait:
    """A wait for a dataset, however many holders there are in the meantime.

    Args:
        timeout: seconds after which it is given up (`lock_timeout`).
        tell: told in a line who is waited for, once for each holder, and how long it took.
        sleep: lets so many seconds pass.
    """

    def __init__(self, timeout: float, tell: Tell = logger.info, sleep: Callable[[float], None] = time.sleep):
        self._timeout = timeout
        self._tell = tell
        self._sleep = sleep
        self._began = time.monotonic()
        self._told = ""

    def on(self, what: str, holder: str, advice: str) -> None:
        """Let a moment pass, because `holder` holds `what`.

        Raises:
            DatasetBusy: it has lasted too long; the message ends with the advice.
        """
        waited = time.monotonic() - self._began
        if waited >= self._timeout:
            raise DatasetBusy(
                f"{what} is held by {holder}; waited {self._timeout:g} s (`lock_timeout`). {advice} "
                "and run again, or raise `lock_timeout`; nothing was stored"
            )
        if holder != self._told:
            self._told = holder
            self._tell(f"waiting for {what}, which is held by {holder}; for at most {self._timeout:g} s")
        self._sleep(min(POLL_SECONDS, max(0.0, self._timeout - waited)))

    def over(self) -> None:
        """Say how long it took, if anything has been said before."""
        if self._told:
            self._tell(f"waited {time.monotonic() - self._began:.1f} s for it")
            self._told = ""


@dataclass(frozen=True)
class Hold:
    """What whoever holds a dataset needs to know.

    Args:
        wait: the wait for it, which goes on where somebody comes in between.
        staging: dlt's `staging_dataset_name_layout`, where the load needs a staging dataset of its own.
    """

    wait: Wait
    staging: str | None = None
