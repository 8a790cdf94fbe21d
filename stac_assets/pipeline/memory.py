"""Memory that is free in this process and not yet given back to the system."""

import ctypes
from contextlib import suppress

import pyarrow as pa


def give_back() -> None:
    """Return free pages of Arrow's pool, and of the C library where it is glibc.

    Fetching leaves some tens of megabytes of both behind, to which storing would add its own.
    """
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
