"""`pieces-orm serve`: the embedded server, by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from .errors import ToolError
from .interrupts import Stop
from .port_file import PortFile
from .request_log import opened
from .terminal import Screen

if TYPE_CHECKING:
    from ..server import Server

Write = Callable[[str], None]


@frozen
class Serving:
    """What `serve` was asked for.

    Args:
        port_file: where the port is written while the server runs; None: nowhere.
        log: the file that each request is noted in, `-` for standard error; None: not noted.
    """

    port: int = 0
    host: str = "127.0.0.1"
    database: Path | None = None
    port_file: Path | None = None
    log: str | None = None
    read_only: bool = False
    token: str | None = field(default=None, repr=False)
    allow_origins: tuple[str, ...] = ()


def new_server(wanted: Serving, log: Write | None = None) -> Server:
    """An embedded server that is not started yet.

    Raises:
        ToolError: the extra `server` is not installed.
        UsageError: the token is none.
    """
    with server_extra():
        from ..server import Server, Settings  # noqa: PLC0415 an extra, which may be missing
    settings = Settings(token=wanted.token, read_only=wanted.read_only, allow_origins=wanted.allow_origins)
    return Server(wanted.database, port=wanted.port, host=wanted.host, settings=settings, log=log)


@contextmanager
def server_extra() -> Iterator[None]:
    """Say in one sentence what an import within the block lacks."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"The embedded server is an extra ({error.name} is missing): pip install 'pieces_orm[server]'."
        raise ToolError(message) from error


def serve(screen: Screen, wanted: Serving) -> None:
    """Serve until SIGINT or SIGTERM, then stop cleanly.

    Raises:
        NotRunningError: the port is taken, the address is foreign and there is no token, or the database cannot be
            opened.
        ToolError: the log or the port file cannot be written.
    """
    if wanted.read_only and wanted.database is None:
        message = "--read-only needs --database FILE: a server in memory that nobody may write to stays empty."
        raise ToolError(message)
    with Stop() as stop, opened(wanted.log) as log:
        server = new_server(wanted, log)
        server.start()
        try:
            with PortFile(wanted.port_file, server.port):
                _announce(screen, wanted, server)
                stop.wait()
        finally:
            server.stop()
    screen.say("The server has stopped.")


def _announce(screen: Screen, wanted: Serving, server: Server) -> None:
    screen.say(f"Pieces data is served at {server.url}")
    if wanted.database is None:
        screen.say("Database: NONE. EVERYTHING IS KEPT IN MEMORY AND LOST WHEN THIS SERVER STOPS.")
        screen.say("          Use --database FILE to keep it.")
    else:
        screen.say(f"Database: {wanted.database.resolve()}{' (read-only)' if wanted.read_only else ''}")
    if server.notice:
        screen.say(server.notice)
    if wanted.token is not None:
        screen.say("Every request has to carry the token.")
    if wanted.port_file is not None:
        screen.say(f"Port file: {wanted.port_file}")
    screen.say("Ctrl-C stops the server.")
