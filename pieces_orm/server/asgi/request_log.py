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
        began, client = time.perf_counter(), scope.get("client")
        line: dict[str, Any] = {
            "method": scope.get("method", "GET"),
            "path": scope["raw_path"].decode("latin-1").partition("?")[0],
            "status": 0,  # no response: the client left, or the connection was cut
            "bytes": 0,
            "client": f"{client[0]}:{client[1]}" if client else None,
        }

        def log(**stream: str) -> None:
            now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            ms = round((time.perf_counter() - began) * 1000, 2)
            self._write(msgspec.json.encode({"time": now, **line, "ms": ms, **stream}).decode())

        async def logged(message: Message) -> None:
            kind = message["type"].removeprefix("websocket.")
            if kind == "http.response.start":
                line["status"] = message["status"]
            elif kind == "accept":
                line["status"] = 101
                log(stream="open")
            elif kind == "close" and not line["status"]:
                line["status"] = 403
            line["bytes"] += len(message.get("body") or message.get("bytes") or (message.get("text") or "").encode())
            await send(message)

        try:
            # `receive` is passed on as it is: planned faults need the connection behind it.
            await self._app(scope, receive, logged)
        finally:
            log(**({"stream": "close"} if line["status"] == 101 else {}))
