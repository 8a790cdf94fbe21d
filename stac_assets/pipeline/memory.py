"""Memory that is free in this process and not yet given back to the system."""

import ctypes
import os
from contextlib import suppress

import pyarrow as pa

M_TRIM_THRESHOLD = -1  # malloc.h
MOST_KEPT = 1 << 20
"""Free bytes at the end of a heap that the C library may keep."""
ARROW_POOL = "ARROW_DEFAULT_MEMORY_POOL"
"""Arrow's own variable for its allocator."""


def choose_allocators() -> None:
    """Have the C library and Arrow manage memory as suits loads; what the user chose for Arrow stays.

    The C library, where it is glibc, would keep up to 64 MB free at the end of the heap of each thread that
    fetches, and `malloc_trim` leaves that alone. Arrow's usual allocator gives the system back what a batch
    leaves, and takes it anew for the next; jemalloc keeps it for a second (Arrow's default).
    """
    _glibc("mallopt", M_TRIM_THRESHOLD, MOST_KEPT)
    if ARROW_POOL not in os.environ:
        with suppress(NotImplementedError):  # not built for this system
            pa.set_memory_pool(pa.jemalloc_memory_pool())


def give_back() -> None:
    """Return free pages of Arrow's pool, and of the C library where it is glibc.

    Fetching leaves some tens of megabytes of both behind, to which storing would add its own.
    """
    pa.default_memory_pool().release_unused()
    _glibc("malloc_trim", 0)


def _glibc(function: str, *arguments: int) -> None:
    with suppress(OSError, AttributeError):  # another C library
        getattr(ctypes.CDLL("libc.so.6"), function)(*arguments)
