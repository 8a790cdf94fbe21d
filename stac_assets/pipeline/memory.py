"""Memory that is free in this process and not yet given back to the system."""

import ctypes
from contextlib import suppress

import pyarrow as pa

M_TRIM_THRESHOLD = -1  # malloc.h
MOST_KEPT = 1 << 20
"""Free bytes at the end of a heap that the C library may keep."""


def keep_little() -> None:
    """Have the C library, where it is glibc, return what is free at the end of a thread's heap.

    It would keep up to 64 MB for each thread that fetches, and `malloc_trim` leaves that alone.
    """
    _glibc("mallopt", M_TRIM_THRESHOLD, MOST_KEPT)


def give_back() -> None:
    """Return free pages of Arrow's pool, and of the C library where it is glibc.

    Fetching leaves some tens of megabytes of both behind, to which storing would add its own.
    """
    pa.default_memory_pool().release_unused()
    _glibc("malloc_trim", 0)


def _glibc(function: str, *arguments: int) -> None:
    with suppress(OSError, AttributeError):  # another C library
        getattr(ctypes.CDLL("libc.so.6"), function)(*arguments)
