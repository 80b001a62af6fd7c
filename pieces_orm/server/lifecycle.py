"""The server's life: bind, serve in a thread or in the foreground, stop, start again."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from ..errors import NotRunningError, UsageError
from .app.application import Application
from .asgi.faults import Faults, FaultyApp
from .asgi.guard import Guard, is_loopback
from .asgi.request_log import RequestLog, Write
from .asgi.slow_requests import patient
from .domain.change_hub import Hub
from .handlers import applications
from .search import index
from .service import Service
from .settings import Settings
from .storage import database
from .storage.store import Store
from .storage.writer import Changes

_STOP_WITHIN = 5  # seconds for requests under way, before they are cancelled
_TICKS = 5  # of the event loop, in which a connection that was accepted becomes one, and one that is aborted ends
_PIECES_PORTS = range(39300, 39334)
_PING = 20.0  # seconds; a stream whose other side is gone dies within twice that


class _Uvicorn(uvicorn.Server):
    """uvicorn that says when it is ready and stops at once when told."""

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A stream, or a connection, that opens at this moment would be waited for in vain.
        self._ending()
        await self._accept_no_more()
        late = asyncio.create_task(self._end_late_connections(set(self.server_state.connections)))
        try:
            await super().shutdown(sockets)
        finally:
            late.cancel()
            await self._abort_connections()

    async def _accept_no_more(self) -> None:
        """Let connections that are being accepted become some: asyncio forgets them open when their server closes."""
        loop = asyncio.get_running_loop()
        for listening in [each for server in self.servers for each in server.sockets]:
            with suppress(NotImplementedError):  # Windows accepts in another way
                loop.remove_reader(listening.fileno())
        await asyncio.sleep(0.002)

    async def _abort_connections(self) -> None:
        """Close what is left: to its client it would look alive for as long as this process lives."""
        for _ in range(_TICKS):
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0.002)

    async def _end_late_connections(self, told: set[Any]) -> None:
        while True:
            for connection in self.server_state.connections - told:
                told.add(connection)
                connection.shutdown()
            await asyncio.sleep(0.01)

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            try:
                await asyncio.wait_for(self._told.wait(), 0.1)
            except asyncio.TimeoutError:
                continue
            return

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again when it has stopped: the process would die with its database open.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kept = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """End the main loop, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


class Server:
    """The embedded server on one database.

    Args:
        database: the SQLite file, made when it is missing; None keeps everything in memory, gone with this object.
        port: 0 takes a free one.
        host: a loopback address; others only with a token in the settings.
        settings: behaviours to choose.
        log: called with a line of JSON for each request, and when a stream opens and closes.

    `notice` is a sentence about what happened to the database when it was opened: that it was upgraded; mostly empty.
    """

    def __init__(
        self,
        database: str | os.PathLike[str] | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        settings: Settings | None = None,
        log: Write | None = None,
    ) -> None:
        if not isinstance(settings, Settings | None):
            message = f"settings takes a pieces_orm.server.Settings, not {settings!r}."
            raise UsageError(message)
        self.settings = settings or Settings()
        self.host = host
        self.port = port
        self._asked_port = port
        self._hub = Hub()
        self.faults = Faults(self._hub.drop)
        self.notice = ""
        self._log = log
        self._path = database
        self._store: Store | None = None
        self._uvicorn: _Uvicorn | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address that clients use."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Open the database and serve in a thread; returns when connections are accepted.

        Raises:
            NotRunningError: the port is taken, the address is foreign and there is no token, or the database cannot be
                opened.
        """
        if self._thread is not None:
            return
        listening = self._prepare()
        assert self._uvicorn is not None
        running = self._uvicorn
        self._thread = threading.Thread(target=running.run, args=([listening],), name="pieces_orm server", daemon=True)
        self._thread.start()
        while not running.ready.wait(0.05):
            if not self._thread.is_alive():
                self._release()
                raise NotRunningError(f"The embedded server ended before it served {self.url}.")

    def serve_forever(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve in this thread until SIGINT or SIGTERM, then stop cleanly.

        Args:
            on_ready: called when the port is bound and `url` is known; what connects from then on is answered.

        Raises:
            NotRunningError: as start().
        """
        listening = self._prepare()
        assert self._uvicorn is not None
        try:
            on_ready()
            self._uvicorn.run([listening])
        finally:
            self._release()

    def stop(self) -> None:
        """Finish requests under way, close streams and database; a stopped server stays stopped."""
        thread, self._thread = self._thread, None
        if thread is not None and self._uvicorn is not None:
            self._uvicorn.stop()
            thread.join(_STOP_WITHIN + 5)
        self._release()

    def restart(self, port: int | None = None) -> None:
        """Stop and start again with the same data, on the same port or another."""
        kept, self._store = (self._store, None) if self._path is None else (None, self._store)
        same = self.port
        self.stop()
        self._store = kept
        self._asked_port = same if port is None else port
        self.start()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> socket.socket:
        """Bind, open the database, build the application."""
        for name in ("uvicorn", "pieces_orm"):
            # Without any handler the logging module would print warnings to stderr.
            logger = logging.getLogger(name)
            if not logger.handlers:
                logger.addHandler(logging.NullHandler())
        listening = self._bind()
        try:
            service = self._open()
        except BaseException:
            listening.close()
            raise
        app: ASGIApp = FaultyApp(Guard(Application(service), self.settings), self.faults)
        if self._log is not None:
            app = RequestLog(app, self._log)
        config = uvicorn.Config(
            app, http=patient(self.settings.patience), ws="websockets-sansio", log_config=None, access_log=False,
            lifespan="off", server_header=False, ws_ping_interval=_PING, ws_ping_timeout=_PING,
            timeout_graceful_shutdown=_STOP_WITHIN,
        )  # fmt: skip
        self._hub.begin()
        self._uvicorn = _Uvicorn(config, self._hub.end)
        return listening

    def _bind(self) -> socket.socket:
        if self.settings.token is None and not is_loopback(self.host):
            message = f"{self.host} is no loopback address: what other machines may reach is served only with a token "
            remedy = "that every request carries. Give Settings(token=...) or `serve --token`, or listen on 127.0.0.1."
            raise NotRunningError(message + remedy)
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Named, because asyncio sets TCP_NODELAY only then: without it most answers wait 40 ms for an acknowledgement.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.host, self._asked_port))
            if self._asked_port == 0 and listening.getsockname()[1] in _PIECES_PORTS:
                # Programs look for a Pieces OS there: a server that nobody asked to be found must not be taken for it.
                listening.close()
                return self._bind()
            listening.listen(2048)
        except OSError as error:
            listening.close()
            message = f"The embedded server cannot listen on {self.host}, port {self._asked_port}: {error.strerror}."
            raise NotRunningError(f"{message} Choose another port, or 0 for any free one.") from error
        self.port = listening.getsockname()[1]
        return listening

    def _open(self) -> Service:
        if self.settings.read_only and self._path is not None:
            database.check_readable(Path(self._path))
        if self._store is None:
            self._store = Store(self._path)
        self._store.read_only = False  # until the database is open and has its identity
        service = Service(self._store, self._hub, self.settings)

        def publish(changes: Changes) -> None:
            service.memory.forget()
            self._hub.publish(changes)

        self._store.prepare = index.prepare
        self._store.settle = index.settle
        self._store.open(publish)
        applications.found(service)
        self.notice = self._store.upgraded
        self._store.read_only = self.settings.read_only
        return service

    def _release(self) -> None:
        self._uvicorn = None
        store, self._store = self._store, None
        if store is not None:
            store.close()
