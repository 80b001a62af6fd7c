"""The uvicorn server, adapted to stop at once and to leave no connection open.

This module, `slow_requests`, `streams` and `faults` rely on members of uvicorn that its documentation does not promise:
pyproject.toml bounds its version, and tests/server/asgi/test_uvicorn_members.py says when one of them is gone.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from .sending import ConnectionLimits
from .slow_requests import timed_protocol
from .streams import stream_protocol

SHUTDOWN_TIMEOUT_S = 5  # for requests under way, before they are cancelled
_PING_INTERVAL_S = 20.0  # a stream whose other side is gone dies within twice that
_MAX_MESSAGE_BYTES = 1024 * 1024  # that clients send on streams, unpacked
_TICK_S = 0.1
_ACCEPT_S = 0.002  # enough for asyncio to finish accepting connections


class UvicornServer(uvicorn.Server):
    """A uvicorn server for one run; `ready` is set once connections are accepted.

    Args:
        limits: on every connection.
        before_shutdown: called first when the server stops, to end the streams.
    """

    def __init__(self, app: ASGIApp, *, limits: ConnectionLimits, before_shutdown: Callable[[], None]) -> None:
        self._protocol = timed_protocol(limits)
        config = uvicorn.Config(
            app, http=self._protocol, ws=stream_protocol(limits), ws_max_size=_MAX_MESSAGE_BYTES,
            headers=list(limits.headers), log_config=None, access_log=False, lifespan="off", server_header=False,
            ws_ping_interval=_PING_INTERVAL_S, ws_ping_timeout=_PING_INTERVAL_S,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
            proxy_headers=False,  # X-Forwarded-For is what a client says of itself
        )  # fmt: skip
        super().__init__(config)
        self._before_shutdown = before_shutdown
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self.ready = threading.Event()

    def stop(self) -> None:
        """Stop serving, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it has stopped
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        """Tick until the server stops; uvicorn's own loop would notice a stop only at the next tick."""
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests under way and close every connection, also those that open at this moment."""
        self._before_shutdown()
        self._protocol.stopping = True
        for listening in sockets or ():
            with suppress(NotImplementedError):  # Windows accepts in another way
                asyncio.get_running_loop().remove_reader(listening)
        # asyncio forgets to close a connection that it is still accepting when the server closes.
        await asyncio.sleep(_ACCEPT_S)
        try:
            await super().shutdown(sockets)
        finally:
            # A connection left open would look alive to its client for as long as this process lives.
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(_ACCEPT_S)
