"""Faults on demand, to test how clients handle them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...errors import UsageError
from ...wire.routes import HEALTH, HEALTH_MIGRATING
from ..http.responses import error_response, text_response

# The statuses of answers that are final; those below are not.
_LOWEST_STATUS, _HIGHEST_STATUS = 200, 599

Fault = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


@define
class _Planned:
    fault: Fault
    times: int
    path: str | None


class Faults:
    """Plans faults, each for the next `times` requests or streams whose path starts with `path`."""

    def __init__(self, close_streams: Callable[[], None]) -> None:
        self._close_streams = close_streams
        self._planned: list[_Planned] = []
        self._migrating = False
        self._lock = threading.Lock()

    def answer(self, status: int, times: int = 1, body: bytes = b"", path: str | None = None) -> None:
        """Answer with a status and body, without doing what was asked."""
        if not isinstance(status, int) or not _LOWEST_STATUS <= status <= _HIGHEST_STATUS:
            message = f"status takes a number from {_LOWEST_STATUS} to {_HIGHEST_STATUS}, such as 500, not {status!r}."
            raise UsageError(message)
        response = Response(body or None, status, media_type="text/plain")
        self._plan(lambda _app, scope, receive, send: response(scope, receive, send), times, path)

    def delay(self, seconds: float, times: int = 1, path: str | None = None) -> None:
        """Wait before doing what was asked."""

        async def wait(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(seconds)
            await app(scope, receive, send)

        self._plan(wait, times, path)

    def cut_body(self, times: int = 1, path: str | None = None) -> None:
        """Do what was asked, announce the whole answer, send half of it and close the connection."""
        self._plan(_cut_body, times, path)

    def reset(self, times: int = 1, path: str | None = None) -> None:
        """Close the connection with no answer, without doing what was asked."""
        self._plan(_reset, times, path)

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

    def _plan(self, fault: Fault, times: int, path: str | None) -> None:
        if path is not None and not path.startswith("/"):
            message = f"path takes the beginning of a path, such as '/assets', not {path!r}: paths begin with a slash."
            raise UsageError(message)
        with self._lock:
            self._planned.append(_Planned(fault, times, path))

    def take(self, path: str) -> Fault | None:
        """Take the oldest fault planned for a path, and count it down."""
        if self._migrating:
            return _migrating
        with self._lock:
            for planned in self._planned:
                if planned.path is None or path.startswith(planned.path):
                    planned.times -= 1
                    if planned.times <= 0:
                        self._planned.remove(planned)
                    return planned.fault
        return None


class FaultyApp:
    """ASGI middleware that makes planned faults happen; outermost, as it needs the connection itself."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless a fault is planned for it."""
        fault = self._faults.take(scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await fault(self._app, scope, receive, send)


async def _migrating(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    response = error_response(503, "The server is migrating.")
    if scope["path"] == HEALTH.path:
        response = text_response(HEALTH_MIGRATING)
    await response(scope, receive, send)


async def _reset(_app: ASGIApp, _scope: Scope, receive: Receive, _send: Send) -> None:
    _transport(receive).abort()
    await _disconnected(receive)


async def _cut_body(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async def cut(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body" and body:
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            _transport(receive).close()
        else:
            await send(message)

    await app(scope, receive, cut)
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] not in {"http.disconnect", "websocket.disconnect"}:
        pass


def _transport(receive: Receive) -> Any:
    """Return the connection of a request: uvicorn's `receive` is a method of the object that has it."""
    return receive.__self__.transport  # type: ignore[attr-defined]
