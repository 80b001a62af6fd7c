"""Close connections whose request does not arrive in time (slowloris protection), or whose answer is not taken."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from .sending import ConnectionLimits, TimedTransport

_MIN_BODY_BYTES_PER_S = 1000


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with limits on the time in which a request arrives and an answer is taken.

    uvicorn itself only limits the time between two requests; a client that sends half a request, or takes half an
    answer, keeps its connection forever. It also reads what is left of a body after the answer, without end: here so
    much is read as a body may have. Once `stopping` is set on the class, connections are closed as they are made.
    """

    limits: ConnectionLimits
    stopping: bool = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._in_head = True
        self._unwanted = 0
        self._timed_cycle: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request."""
        super().connection_made(TimedTransport(transport, self.loop, self.limits))  # type: ignore[arg-type]
        if self.stopping:
            transport.abort()
        else:
            self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request: a body gets more time for each of its parts, a head does not."""
        super().data_received(data)
        state = self.conn.their_state
        if self.transport.get_protocol() is not self:
            self._stop_timer()  # it is a stream now, which may be silent
        elif state is h11.SEND_BODY:
            # A read may end one request and begin the next, whose body then counts from there.
            is_new = self.cycle is not self._timed_cycle
            if self._timer is None or is_new:
                self._start_timer()
            self._in_head = False
            self._timed_cycle = self.cycle
            # Data that came fast does not pay for silence later.
            latest = self.loop.time() + self.limits.request_timeout_s
            self._due = min(self._due + len(data) / _MIN_BODY_BYTES_PER_S, latest)
            self._unwanted += len(data) if self.conn.our_state is h11.DONE and not is_new else 0
            if self._unwanted > self.limits.max_body:
                self.transport.abort()
        elif state is not h11.IDLE:
            self._stop_timer()
        elif self._timer is None or not self._in_head:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        self._stop_timer()
        self._in_head = True
        self._unwanted = 0
        self._due = self.loop.time() + self.limits.request_timeout_s
        self._timer = self.loop.call_later(self.limits.request_timeout_s, self._check)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        # While reading is paused, the server is the slow one.
        left = self.limits.request_timeout_s if self.flow.read_paused else self._due - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._check)
        elif not self.transport.is_closing():
            self._refuse()

    def _refuse(self) -> None:
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._answer(408, "The request did not arrive in time.")
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP, unless another answer is under way, and close the connection."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._answer(400, msg)
        self.transport.close()

    def _answer(self, status: int, sentence: str) -> None:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close"), *self.limits.headers]
        response = h11.Response(status_code=status, headers=headers)
        for event in (response, h11.Data(data=sentence.encode()), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")


def timed_protocol(limits: ConnectionLimits) -> type[TimedProtocol]:
    """Make the protocol class of one server."""
    return type("TimedProtocol", (TimedProtocol,), {"limits": limits})
