"""A log with one line of JSON for each request."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Write = Callable[[str], None]
"""Called with a line of JSON, without its line end."""


class RequestLog:
    """ASGI middleware that writes a line when a request was answered, and when a stream opens and closes.

    Queries, headers and bodies are not written, as they hold private data.
    """

    def __init__(self, app: ASGIApp, write: Write) -> None:
        self._app = app
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log its outcome."""
        # `receive` is passed on as it is: planned faults need the connection behind it.
        entry = _Entry(scope)

        async def logged(message: Message) -> None:
            entry.see(message)
            if message["type"] == "websocket.accept":
                self._log(entry.line("open"))
            await send(message)

        try:
            await self._app(scope, receive, logged)
        finally:
            self._log(entry.line("close" if entry.opened else None))

    def _log(self, line: dict[str, Any]) -> None:
        self._write(msgspec.json.encode(line).decode())


class _Entry:
    """The line of one request, as far as it is known."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._began = time.perf_counter()
        self.opened = False
        self.status = 0  # no response: the client left, or the connection was cut
        self.bytes = 0

    def see(self, message: Message) -> None:
        """Update the line from a message of the response."""
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self.status = message["status"]
        elif kind in {"http.response.body", "websocket.http.response.body"}:
            self.bytes += len(message.get("body", b""))
        elif kind == "websocket.accept":
            self.opened, self.status = True, 101
        elif kind == "websocket.send":
            self.bytes += len((message.get("text") or "").encode() or message.get("bytes") or b"")
        elif kind == "websocket.close" and not self.opened:
            self.status = 403

    def line(self, stream: str | None) -> dict[str, Any]:
        """Build the line; `stream` is `open` or `close` for that of a stream."""
        client = self._scope.get("client")
        return {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "method": self._scope.get("method", "GET"),
            "path": self._scope["raw_path"].decode("latin-1").partition("?")[0],
            "status": self.status,
            "ms": round((time.perf_counter() - self._began) * 1000, 2),
            "bytes": self.bytes,
            "client": f"{client[0]}:{client[1]}" if client else None,
            **({} if stream is None else {"stream": stream}),
        }
