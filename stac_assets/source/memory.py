"""Memory that is free in this process and not yet given back to the system."""

import ctypes
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache


def give_back() -> None:
    """Return free pages of Arrow's pool, and of the C library where it is glibc.

    Each thread that fetches leaves free what its batches took, and storing would add its own. Nothing of the
    process is set for that: how its allocators behave is for the program to choose that uses this package.
    """
    if "pyarrow" in sys.modules:  # else nothing was in its pool
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    with suppress(OSError, AttributeError):  # another C library
        return ctypes.CDLL("libc.so.6").malloc_trim
    return lambda pad: None
