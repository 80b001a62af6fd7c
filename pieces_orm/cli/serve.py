"""`pieces-orm serve`: run the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import evolve
from typer import Option

from ..transport import discovery
from ..wire.closed_lists import CURRENT_PORTS
from .errors import WrongUsageError, problems_reported, report
from .interrupts import Interrupts
from .memory import return_large_blocks
from .port_file import publish_port
from .request_log import request_log
from .terminal import Terminal

if TYPE_CHECKING:
    from ..server import ChatModel, Server

NO_DATABASE = "NONE. WITHOUT --database FILE, ALL DATA IS LOST WHEN THE SERVER STOPS."

Port = Annotated[
    int | None,
    Option(min=0, max=65535, help="Port to listen on, or 0 for any free one. Default: a free one of 39300 to 39333."),
]
Host = Annotated[str, Option(metavar="ADDRESS", help="Address to listen on; only loopback works without a token.")]
Database = Annotated[Path | None, Option(metavar="FILE", help="SQLite file for the data; created if missing.")]
Token = Annotated[
    str | None, Option(metavar="TOKEN", envvar="PIECES_ORM_TOKEN", help="Secret that every request must carry.")
]
ReadOnly = Annotated[bool, Option("--read-only", help="Refuse every write; needs --database.")]
AllowOrigin = Annotated[
    list[str] | None, Option(metavar="ORIGIN", help="Origin that may call, such as vscode-webview://abc; repeatable.")
]
PiecesVersion = Annotated[
    str | None, Option(metavar="VERSION", help="Version of Pieces OS that the server reports, such as 12.6.0.")
]
Log = Annotated[str | None, Option(metavar="FILE", help="Append a JSON line per request; - is standard error.")]
PortFile = Annotated[Path | None, Option(metavar="FILE", help="Write the port to FILE while the server runs.")]
StandardPortFile = Annotated[bool, Option("--standard-port-file", help="Write the port to the port file of Pieces OS.")]

ModelUrl = Annotated[
    str | None,
    Option(metavar="URL", help="Base address of an OpenAI-compatible server that answers questions; needs --model."),
]
Model = Annotated[str | None, Option(metavar="NAME", help="Name of the model at --model-url.")]
ModelKey = Annotated[
    str | None,
    Option(
        metavar="KEY",
        envvar="PIECES_ORM_MODEL_KEY",
        help="Key that the server at --model-url asks for; needs --model-url.",
    ),
]


EXAMPLES = """Examples:

\b
  pieces-orm serve --database my-pieces.db
  pieces-orm serve --database my-pieces.db --log requests.log --allow-origin app://obsidian.md
  pieces-orm serve --database my-pieces.db --model-url http://127.0.0.1:11434/v1 --model llama3.2
"""


def serve(
    context: typer.Context,
    port: Port = None,
    host: Host = "127.0.0.1",
    database: Database = None,
    token: Token = None,
    read_only: ReadOnly = False,
    allow_origin: AllowOrigin = None,
    pieces_version: PiecesVersion = None,
    log: Log = None,
    port_file: PortFile = None,
    standard_port_file: StandardPortFile = False,
    model_url: ModelUrl = None,
    model: Model = None,
    model_key: ModelKey = None,
) -> None:
    """Run the embedded server until Ctrl-C.

    It speaks the protocol of Pieces OS, for pieces_orm and for other clients. Without --database, all data is kept in
    memory and lost when the server stops.
    """
    if port_file is not None and standard_port_file:
        raise WrongUsageError("--port-file cannot be combined with --standard-port-file.")
    if read_only and database is None:
        raise WrongUsageError("--read-only needs --database FILE: a server in memory that refuses writes stays empty.")
    from ..server import Server  # noqa: PLC0415 an extra, which may be missing
    from .serve_settings import chat_model, check_host, server_settings  # noqa: PLC0415

    check_host(host, token)
    answers = chat_model(model_url, model, model_key, key_is_option=_is_given(context, "model_key"))
    settings = evolve(server_settings(token, allow_origin or (), pieces_version), read_only=read_only, answers=answers)
    path = discovery.port_file() if standard_port_file else port_file
    ports = CURRENT_PORTS if port is None else port
    terminal = Terminal()
    return_large_blocks()
    with Interrupts() as interrupts, request_log(log) if log else nullcontext() as write, problems_reported():
        with (
            Server(database, port=ports, host=host, settings=settings, log=write) as server,
            publish_port(path, server.port) if path else nullcontext(),
        ):
            for line in _introduction(server, port, database, path):
                terminal.say(line)
            _warn_unless_there(answers)
            interrupts.wait()
        terminal.say("The server has stopped.")


def _is_given(context: typer.Context, parameter: str) -> bool:
    """Tell whether an option is on the command line, rather than in the environment."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def _warn_unless_there(model: ChatModel | None) -> None:
    from ..server import ModelError  # noqa: PLC0415 an extra, which may be missing

    try:
        if model is not None:
            model.check()
    except ModelError as error:
        report(f"Warning: {error}")


def _introduction(server: Server, port: int | None, database: Path | None, path: Path | None) -> Iterator[str]:
    yield f"Serving Pieces data at {server.url}"
    if port is None and server.port != CURRENT_PORTS[0]:
        yield f"Port {CURRENT_PORTS[0]} is in use. Programs that look for a Pieces server also try {server.port}."
    kept = f"{database.resolve()}{' (read-only)' if server.settings.read_only else ''}" if database else NO_DATABASE
    yield f"Database: {kept}"
    if server.notice:
        yield server.notice
    if server.settings.token is not None:
        yield "Every request must carry the token."
    if server.settings.answers is not None:
        yield f"Questions are answered by {server.settings.answers}"
    if path is not None:
        yield f"Port file: {path}"
    yield "Press Ctrl-C to stop."
