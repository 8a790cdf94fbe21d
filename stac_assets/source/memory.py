"""Memory that is free in this process and not yet given back to the system."""

import ctypes
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pyarrow as pa


def give_back() -> None:
    """Return free pages of Arrow's pool, and of the C library where it is glibc.

    Each thread that fetches leaves free what its batches took, and storing would add its own. Nothing of the
    process is set for that: how its allocators behave is for the program to choose that uses this package.
    """
    pa.default_memory_pool().release_unused()
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    with suppress(OSError, AttributeError):  # another C library
        return ctypes.CDLL("libc.so.6").malloc_trim
    return lambda pad: None
