"""Faults on demand, for tests of what a client makes of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Literal

from attrs import define
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...wire.routes import HEALTH, HEALTH_MIGRATING
from ..http.responses import error_response, text_response

Action = Literal["answer", "delay", "cut_body", "reset"]


@define
class _Fault:
    action: Action
    times: int
    path: str | None
    status: int = 0
    body: bytes = b""
    seconds: float = 0.0


class Faults:
    """Plans what goes wrong, each for the next `times` requests whose path starts with `path`."""

    def __init__(self, close_streams: Callable[[], None]) -> None:
        self._close_streams = close_streams
        self._planned: list[_Fault] = []
        self._migrating = False
        self._lock = threading.Lock()

    def answer(self, status: int, times: int = 1, body: bytes = b"", path: str | None = None) -> None:
        """Answer with a status and body, without doing what was asked."""
        self._plan(_Fault("answer", times, path, status=status, body=body))

    def delay(self, seconds: float, times: int = 1, path: str | None = None) -> None:
        """Wait before doing what was asked."""
        self._plan(_Fault("delay", times, path, seconds=seconds))

    def cut_body(self, times: int = 1, path: str | None = None) -> None:
        """Do what was asked, announce the whole answer, send half of it and close the connection."""
        self._plan(_Fault("cut_body", times, path))

    def reset(self, times: int = 1, path: str | None = None) -> None:
        """Close the connection with no answer, without doing what was asked."""
        self._plan(_Fault("reset", times, path))

    def drop_streams(self) -> None:
        """Close every open stream now."""
        self._close_streams()

    def migrating(self, on: bool = True) -> None:
        """Answer `migrating` to health and 503 to everything else, until switched off."""
        self._migrating = on

    def clear(self) -> None:
        """Forget everything planned."""
        with self._lock:
            self._planned.clear()
        self._migrating = False

    def _plan(self, fault: _Fault) -> None:
        with self._lock:
            self._planned.append(fault)

    def take(self, path: str) -> _Fault | None:
        """Take the oldest fault planned for a path, and count it down."""
        with self._lock:
            for fault in self._planned:
                if fault.path is None or path.startswith(fault.path):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._planned.remove(fault)
                    return fault
        return None

    def migrating_response(self, path: str) -> Response | None:
        """Build what a migrating server answers; None when it is not migrating."""
        if not self._migrating:
            return None
        return (
            text_response(HEALTH_MIGRATING) if path == HEALTH.path else error_response(503, "The server is migrating.")
        )


class FaultyApp:
    """ASGI middleware that makes planned faults happen; outermost, as it needs the connection itself."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless a fault is planned for it."""
        path = scope["path"]
        migrating = self._faults.migrating_response(path)
        fault = self._faults.take(path)
        if scope["type"] == "websocket":
            await self._websocket(migrating or fault, scope, receive, send)
        elif migrating is not None:
            await migrating(scope, receive, send)
        elif fault is None:
            await self._app(scope, receive, send)
        else:
            await self._fail(fault, scope, receive, send)

    async def _websocket(self, fault: object, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(fault, _Fault) and fault.action == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault is not None:
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "A planned fault."})
            return
        await self._app(scope, receive, send)

    async def _fail(self, fault: _Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.action == "delay":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.action == "answer":
            await Response(fault.body or None, fault.status, media_type="text/plain")(scope, receive, send)
        elif fault.action == "reset":
            _transport(receive).abort()
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await self._cut(scope, receive, send)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def cut(message: Message) -> None:
            body = message.get("body", b"")
            if message["type"] == "http.response.body" and body:
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                _transport(receive).close()
            else:
                await send(message)

        await self._app(scope, receive, cut)
        while (await receive())["type"] != "http.disconnect":
            pass


def _transport(receive: Receive) -> Any:
    """Return the connection of a request: uvicorn's `receive` is a method of the object that has it."""
    return receive.__self__.transport  # type: ignore[attr-defined]
