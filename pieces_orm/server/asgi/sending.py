"""Abort connections whose client does not take what is sent to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from ..workload import HeldBytes

_MIN_SENT_BYTES_PER_S = 10_000
_CHECKS_PER_TIMEOUT = 8


@frozen
class ConnectionLimits:
    """The limits on every connection, and the headers of its answers.

    Args:
        request_timeout_s: seconds within which a request, or a message on a stream, must arrive.
        send_timeout_s: seconds for which a client may take nothing of what is sent to it.
        max_body: bytes of a request's body that are read though nobody wants them.
        held: counts what the client has not taken.
        headers: of every answer.
    """

    request_timeout_s: float
    send_timeout_s: float
    max_body: int
    held: HeldBytes
    headers: Sequence[tuple[str, str]]


class TimedTransport:
    """An asyncio transport that is aborted when its client takes less than 10 kB a second for too long.

    Only `write` differs: the clock runs while bytes wait in the transport's buffer, also after it was closed, as a
    closed transport waits for its buffer forever.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, limits: ConnectionLimits) -> None:
        self._transport = transport
        self._loop = loop
        self._limits = limits
        self._written = 0
        self._taken = 0
        self._due: float | None = None  # None: nothing waits, and no check is planned

    def write(self, data: bytes) -> None:
        """Write, and start the clock when the client does not take all at once."""
        self._transport.write(data)
        self._written += len(data)
        waiting = self._transport.get_write_buffer_size()
        if waiting and self._due is None:
            self._taken = self._written - waiting
            self._due = self._loop.time() + self._limits.send_timeout_s
            self._limits.held.add_buffer(self._transport.get_write_buffer_size)
            self._plan_check()

    def _plan_check(self) -> None:
        self._loop.call_later(self._limits.send_timeout_s / _CHECKS_PER_TIMEOUT, self._check)

    def _check(self) -> None:
        waiting = self._transport.get_write_buffer_size()
        now, taken = self._loop.time(), self._written - waiting
        credit = (taken - self._taken) / _MIN_SENT_BYTES_PER_S
        # A client that was fast has no more time for that when it stops later.
        due = min((self._due or now) + credit, now + self._limits.send_timeout_s)
        self._taken = taken
        if waiting and now < due:
            self._due = due
            self._plan_check()
            return
        self._due = None
        self._limits.held.remove_buffer(self._transport.get_write_buffer_size)
        if waiting:
            self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        """Return everything else as the transport has it."""
        return getattr(self._transport, name)
