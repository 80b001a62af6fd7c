"""`pieces-orm serve`: the embedded server, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ToolError
from .screen import Screen
from .stopping import Stop

if TYPE_CHECKING:
    from ..server import Server


def new_server(database: Path | None, port: int = 0) -> Server:
    """An embedded server that is not started yet.

    Raises:
        ToolError: the extra `server` is not installed.
    """
    try:
        from ..server import Server  # noqa: PLC0415 an extra, which may be missing
    except ModuleNotFoundError as error:
        message = f"The embedded server is an extra ({error.name} is missing): pip install 'pieces_orm[server]'."
        raise ToolError(message) from error
    return Server(database, port=port)


def serve(screen: Screen, *, port: int, database: Path | None) -> None:
    """Serve until SIGINT or SIGTERM, then stop cleanly.

    Raises:
        NotRunningError: the port is taken, or the database cannot be opened.
    """
    with Stop() as stop:
        server = new_server(database, port)
        server.start()
        try:
            screen.say(f"Pieces data is served at {server.url}")
            if database is None:
                screen.say("Database: NONE. EVERYTHING IS KEPT IN MEMORY AND LOST WHEN THIS SERVER STOPS.")
                screen.say("          Use --database FILE to keep it.")
            else:
                screen.say(f"Database: {database.resolve()}")
            screen.say("Ctrl-C stops the server.")
            stop.wait()
        finally:
            server.stop()
    screen.say("The server has stopped.")
