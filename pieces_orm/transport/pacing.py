"""Limits for whole requests: a socket's own timeout begins anew with each byte, and there is no end to its bytes."""

from __future__ import annotations

import contextlib
import functools
import io
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from urllib3.exceptions import ConnectTimeoutError

# An answer may take longer than the read timeout only while it comes at least this fast.
MIN_BYTES_PER_S = 1_000


class OversizeError(ValueError):
    """A server sent more than it may."""


class SlowError(TimeoutError):
    """An answer came with less than `MIN_BYTES_PER_S`."""


class SendingError(TimeoutError):
    """A server did not take a request in time."""


class Budget:
    """The time that one request may take, and the bytes that may come, all its attempts together.

    As a context manager it is the budget of what this thread sends and receives.

    Args:
        seconds: for all of it.
        max_bytes: of all answers.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._bytes_left = max_bytes
        self._outer: Budget | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds until the time is over; less than 0 afterwards."""
        return self._deadline - time.monotonic()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let time pass that does not count, such as that of a slow consumer, which is not the server's fault."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._deadline += time.monotonic() - start

    def limit(self, sock: Any) -> None:
        """Let a socket block for no longer than the time that is left.

        Raises:
            TimeoutError: none is left.
        """
        seconds = self.seconds_left
        if seconds <= 0:
            message = "the time for the whole request is over"
            raise TimeoutError(message)
        timeout = sock.gettimeout()
        if timeout is None or timeout > seconds:
            sock.settimeout(seconds)

    def take_bytes(self, count: int) -> None:
        """Take bytes off.

        Raises:
            OversizeError: none are left.
        """
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise OversizeError

    def __enter__(self) -> Budget:
        # A consumer of an answer may make requests of its own.
        self._outer, _current.budget = _current.budget, self
        return self

    def __exit__(self, *exc: object) -> None:
        _current.budget, self._outer = self._outer, None


class _Current(threading.local):
    budget: Budget | None = None


_current = _Current()


def _current_budget() -> Budget:
    assert _current.budget is not None
    return _current.budget


class _PacedReader(io.RawIOBase):
    """The bytes of one answer; raises TimeoutError when too few come within a time, from the first one on."""

    def __init__(self, raw: Any, sock: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._socket = sock
        self._budget = _current_budget()
        self._seconds = seconds
        self._began = False
        self._waited = 0.0
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        start = time.monotonic()
        self._budget.limit(self._socket)
        count: int | None = self._raw.readinto(buffer)
        self._budget.take_bytes(count or 0)
        if self._began:
            # Only the time spent here: a slow consumer is not the server's fault.
            self._waited += time.monotonic() - start
            self._count += count or 0
        self._began = True
        if self._waited > self._seconds:
            if count and self._count < self._seconds * MIN_BYTES_PER_S:
                message = f"only {self._count} bytes came in {self._waited:.1f} s"
                raise SlowError(message)
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
            self.fp = io.BufferedReader(_PacedReader(self.fp.detach(), sock, seconds))


class _PacedConnection(HTTPConnection):
    response_class = _PacedResponse

    def connect(self) -> None:
        """Connect, with all that encryption needs.

        Raises:
            ConnectTimeoutError: it was not done in time.
        """
        try:
            super().connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(str(error)) from error

    def send(self, data: Any) -> None:
        """Send data, which may connect first.

        Raises:
            SendingError: the server did not take it in time.
        """
        if self.sock is not None:
            _current_budget().limit(self.sock)
        try:
            super().send(data)
        except TimeoutError as error:
            raise SendingError(*error.args) from error


@functools.cache
def paced(connection: type) -> type:
    """Return a kind of HTTP connection that keeps to the current `Budget`, the read timeout and MIN_BYTES_PER_S."""
    # It is one already where two threads make their first request at once.
    if issubclass(connection, _PacedConnection):
        return connection
    return type(connection.__name__, (_PacedConnection, connection), {})
