"""Connections on which a request does not come to its end: they are dropped, so that they cannot pile up."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_SLOWEST = 1000  # bytes a second, below which a body is too slow


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP, with a time within which a request has to be there.

    uvicorn itself only limits the time between two requests; a client that sends half a request keeps its connection
    for ever.
    """

    patience: float

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; it has to say what it wants."""
        super().connection_made(transport)
        self._wait_for(self.patience)

    def data_received(self, data: bytes) -> None:
        """A part of a request came: a body gets more time for each of its parts, a head does not."""
        super().data_received(data)
        state = self.conn.their_state
        if self.transport.get_protocol() is not self:
            self._stop_waiting()  # it is a stream now, which may be silent for as long as it likes
        elif state is h11.SEND_BODY:
            if self._timer is None or self._head:
                self._wait_for(self.patience)
            self._head = False
            # What came fast is no credit for silence.
            self._due = min(self._due + len(data) / _SLOWEST, self.loop.time() + self.patience)
        elif state is not h11.IDLE:
            self._stop_waiting()
        elif self._timer is None:
            self._wait_for(self.patience)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for(self, seconds: float) -> None:
        self._stop_waiting()
        self._head = True
        self._due = self.loop.time() + seconds
        self._timer = self.loop.call_later(seconds, self._look)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        left = self._due - self.loop.time()
        if self.flow.read_paused:
            # It is the server that does not read.
            left = self.patience
        if left > 0:
            self._timer = self.loop.call_later(left, self._look)
        elif not self.transport.is_closing():
            self._drop()

    def _drop(self) -> None:
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
            said = b"The request did not come to its end in time."
            for event in (h11.Response(status_code=408, headers=headers), h11.Data(data=said), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def patient(seconds: float) -> type[PatientProtocol]:
    """The protocol with a time to wait for requests."""
    return type("PatientProtocol", (PatientProtocol,), {"patience": seconds})
