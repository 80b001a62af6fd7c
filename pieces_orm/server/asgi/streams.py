"""WebSocket connections with limits on what clients send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Response
from websockets.server import ServerProtocol

from .sending import ConnectionLimits

_FRAGMENT_BYTES = 100  # that a fragment takes beside its text
_MAX_FRAGMENTS = 10_000  # of a message: there may be any number of empty ones


class _Handshakes(ServerProtocol):
    """The protocol of a WebSocket, whose answers to the opening handshake all carry the headers of every answer."""

    def __init__(self, headers: Sequence[tuple[str, str]], **options: Any) -> None:
        super().__init__(**options)
        self._headers = headers

    def send_response(self, response: Response) -> None:
        """Send the answer to the handshake."""
        for name, value in self._headers:
            if name not in response.headers:
                response.headers[name] = value
        super().send_response(response)


class TimedStream(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with a limit on the time in which a message arrives."""

    limits: ConnectionLimits

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        extensions = self.conn.available_extensions
        self.conn = _Handshakes(
            self.limits.headers, extensions=extensions, max_size=self.config.ws_max_size, logger=self.conn.logger
        )
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take a part of a message; the clock runs from its first part to its last."""
        super().data_received(data)
        unfinished = self._unfinished_size()
        if not unfinished:
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.limits.request_timeout_s, self.transport.abort)
            self.limits.held.add_buffer(self._unfinished_size)
        if len(self.frames) > _MAX_FRAGMENTS or (unfinished and self.limits.held.is_full(unfinished)):
            self.transport.abort()

    def handle_ping(self) -> None:
        """Answer a ping, unless the client takes no answers: any number of them would wait for it."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def _unfinished_size(self) -> int:
        return len(self.conn.reader.buffer) + sum(len(part) + _FRAGMENT_BYTES for part in self.frames)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.limits.held.remove_buffer(self._unfinished_size)


def stream_protocol(limits: ConnectionLimits) -> type[TimedStream]:
    """Make the protocol class of one server's streams."""
    return type("TimedStream", (TimedStream,), {"limits": limits})
