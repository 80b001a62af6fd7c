"""Memory of a process that serves for long."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_M_MMAP_THRESHOLD = -3  # of glibc's mallopt()
_LARGE_BLOCK_BYTES = 1024 * 1024


def return_large_blocks() -> None:
    """Have the C library return large blocks to the system when they are freed.

    glibc keeps blocks of up to 32 MB for itself once the first of such a size was freed, so that a process which built
    a few large answers would stay several times as large as they are.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library than glibc
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
