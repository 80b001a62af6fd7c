"""Time limits for answers that trickle in: a socket's own timeout begins anew with each byte."""

from __future__ import annotations

import functools
import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

# An answer may take longer than the read timeout only while it comes at least this fast.
MIN_BYTES_PER_S = 1_000


class _PacedReader(io.RawIOBase):
    """The bytes of one answer; raises TimeoutError when too few come within a time, from the first one on."""

    def __init__(self, raw: Any, seconds: float) -> None:
        self._raw = raw
        self._seconds = seconds
        self._began = False
        self._waited = 0.0
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        start = time.monotonic()
        count: int | None = self._raw.readinto(buffer)
        if self._began:
            # Only the time spent here: a slow consumer is not the server's fault.
            self._waited += time.monotonic() - start
            self._count += count or 0
        self._began = True
        if self._waited > self._seconds:
            if count and self._count < self._seconds * MIN_BYTES_PER_S:
                message = f"only {self._count} bytes came in {self._waited:.1f} s"
                raise TimeoutError(message)
            self._waited, self._count = 0.0, 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp = io.BufferedReader(_PacedReader(self.fp.detach(), seconds))


@functools.cache
def paced(connection: type) -> type:
    """Return a kind of HTTP connection whose answers are bound in time by the read timeout and `MIN_BYTES_PER_S`."""
    return type(connection.__name__, (connection,), {"response_class": _PacedResponse})
