"""The life of a server: bind, serve in a thread, stop, start again."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timezone

from starlette.types import ASGIApp

from ..errors import InvalidValueError, NotRunningError, UsageError
from ..wire.closed_lists import CURRENT_PORTS
from .app.application import Application
from .asgi.answer_headers import answer_headers
from .asgi.faults import Faults, FaultyApp
from .asgi.guard import Guard, is_loopback
from .asgi.request_log import RequestLog
from .asgi.sending import ConnectionLimits
from .asgi.uvicorn_server import SHUTDOWN_TIMEOUT_S, UvicornServer
from .domain.change_hub import ChangeHub
from .domain.identity import initialize_database
from .json_values import json_text
from .search import index
from .service import Service
from .settings import Settings
from .storage.store import Store
from .storage.writer import Changes, Writer

_MAX_PENDING_CONNECTIONS = 2048
# For a connection, in the kernel. Linux takes more from the server only when a third of it is free: with the default of
# several megabytes a slow client would seem to take nothing for minutes.
_SEND_BUFFER_BYTES = 256 * 1024
_POLL_S = 0.05

logger = logging.getLogger("pieces_orm.server.storage")
# Without any handler the logging module would print warnings to stderr.
for _name in ("uvicorn", "pieces_orm"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Server:
    """The embedded server on one database.

    Args:
        database: the SQLite file, created when it is missing; None: memory, which is lost with this object.
        port: 0 takes a free one; of several, the first free one is taken.
        host: a loopback address; others only with a token in the settings.
        settings: None: the defaults.
        log: called with a line of JSON for each request, when a stream opens and closes, and when the disk of the
            database begins to fail and works again.

    `notice` says what was done to the database when it was opened, such as an upgrade; empty when nothing was.
    """

    def __init__(
        self,
        database: str | os.PathLike[str] | None = None,
        *,
        port: int | Sequence[int] = 0,
        host: str = "127.0.0.1",
        settings: Settings | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        if not isinstance(settings, Settings | None):
            message = f"settings takes a pieces_orm.server.Settings, not {settings!r}."
            raise UsageError(message)
        if database is not None:
            _check_path(database)
        self.settings = settings or Settings()
        self.host = host
        self._requested_ports = [port] if isinstance(port, int) else list(port)
        self.port = self._requested_ports[0]
        self._hub = ChangeHub()
        self.faults = Faults(self._hub.close_streams)
        self.notice = ""
        self._log = log
        self._path = database
        self._store: Store | None = None
        self._uvicorn: UvicornServer | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url} on {'memory' if self._path is None else self._path}>"

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
        listening, running = self._prepare()
        self._thread = threading.Thread(target=running.run, args=([listening],), name="pieces_orm server", daemon=True)
        self._thread.start()
        while not running.ready.wait(_POLL_S):
            if not self._thread.is_alive():
                self._release()
                raise NotRunningError(f"The embedded server ended before it served {self.url}.")

    def stop(self) -> None:
        """Finish requests under way, close streams and database; stopping a stopped server does nothing."""
        thread, self._thread = self._thread, None
        if thread is not None and self._uvicorn is not None:
            self._uvicorn.stop()
            thread.join(SHUTDOWN_TIMEOUT_S + 5)
        self._release()

    def restart(self, port: int | None = None) -> None:
        """Stop and start again with the same data, on the same port or another."""
        kept, self._store = (self._store, None) if self._path is None else (None, self._store)
        same = self.port
        self.stop()
        self._store = kept
        self._requested_ports = [same if port is None else port]
        self.start()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> tuple[socket.socket, UvicornServer]:
        """Bind, open the database, build the application."""
        listening = self._bind()
        try:
            service = self._open()
        except BaseException:
            listening.close()
            raise
        app: ASGIApp = FaultyApp(Guard(Application(service), self.settings), self.faults)
        if self._log is not None:
            app = RequestLog(app, self._log)
        self._hub.open()
        limits = ConnectionLimits(
            request_timeout_s=self.settings.patience,
            send_timeout_s=self.settings.send_timeout,
            max_body=self.settings.max_body,
            held=service.workload.held,
            headers=answer_headers(extensions=self.settings.extensions),
        )
        self._uvicorn = UvicornServer(app, limits=limits, before_shutdown=self._hub.close)
        return listening, self._uvicorn

    def _bind(self) -> socket.socket:
        if self.settings.token is None and not is_loopback(self.host):
            message = f"{self.host} is not a loopback address: other machines are served only with a token that every "
            remedy = "request carries. Pass Settings(token=...) or `serve --token`, or listen on 127.0.0.1."
            raise NotRunningError(message + remedy)
        *others, last = self._requested_ports
        for port in others:
            with suppress(OSError):
                return self._bind_to(port)
        try:
            return self._bind_to(last)
        except OSError as error:
            ports = f"ports {others[0]} to {last}" if others else f"port {last}"
            message = f"The embedded server cannot listen on {self.host}, {ports}: {error.strerror}."
            remedy = "Choose another port, or 0 for any free one."
            if error.errno == errno.EADDRNOTAVAIL:
                remedy = "Choose another address: this machine does not have this one."
            raise NotRunningError(f"{message} {remedy}") from error

    def _bind_to(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Named, because asyncio sets TCP_NODELAY only then: without it most answers wait 40 ms for an acknowledgement.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            listening.bind((self.host, port))
            if port == 0 and listening.getsockname()[1] in CURRENT_PORTS:
                # Programs look for Pieces OS at these ports, and must not take this server for it unasked.
                listening.close()
                return self._bind_to(port)
            listening.listen(_MAX_PENDING_CONNECTIONS)
        except OSError:
            listening.close()
            raise
        self.port = listening.getsockname()[1]
        return listening

    def _open(self) -> Service:
        if self._store is None:
            self._store = Store(
                self._path, prepare=_prepare_database, before_commit=index.settle, read_only=self.settings.read_only,
                report=self._report,
            )  # fmt: skip
        service = Service(self._store, self._hub, self.settings)

        def publish(changes: Changes) -> None:
            service.cache.clear()
            self._hub.publish(changes)

        self._store.open(publish)
        self.notice = self._store.notice
        return service

    def _report(self, sentence: str) -> None:
        """Say that the disk fails, or works again: in the program's log, and in the log of requests."""
        logger.error("%s", sentence)
        if self._log is not None:
            now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            self._log(json_text({"time": now, "problem": sentence}))

    def _release(self) -> None:
        self._uvicorn = None
        store, self._store = self._store, None
        if store is not None:
            store.close()


def _check_path(database: object) -> None:
    path = os.fspath(database) if isinstance(database, str | os.PathLike) else None
    if not isinstance(path, str) or "\0" in path:
        message = f"The path of a database is a text or a pathlib.Path, not {database!r}; None keeps it in memory."
        raise InvalidValueError(message)


def _prepare_database(writer: Writer) -> None:
    index.prepare(writer.connection)
    initialize_database(writer)
