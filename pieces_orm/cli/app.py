"""The commands `serve`, `backup` and `demo`, and their options."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from ..transport import discovery
from . import serving
from .backup import backup as run_backup
from .demo.run import demo as run_demo
from .terminal import Screen

app = typer.Typer(
    help="Pieces data as Python objects: a server of your own, and a demo on your own files.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Port = Annotated[
    int,
    typer.Option(
        min=0, max=65535, help="The port to listen on; 0: any free one. Programs look at 39300-39333 by themselves."
    ),
]
_Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="The address to listen on. Others than loopback need a token.")
]
_Database = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The SQLite file that keeps the data, made when there is none. Without it: in memory."
    ),
]
_Token = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        envvar="PIECES_ORM_TOKEN",
        show_envvar=False,
        help="A secret that every request has to carry. Better set as PIECES_ORM_TOKEN, as others see command lines.",
    ),
]
_ReadOnly = Annotated[bool, typer.Option("--read-only", help="Refuse every write.")]
_Origins = Annotated[
    list[str] | None,
    typer.Option(metavar="ORIGIN", help="An origin that may call, such as vscode-webview://abc. Can be repeated."),
]
_Log = Annotated[
    str | None, typer.Option(metavar="FILE", help="Append a line of JSON for each request; - for standard error.")
]
_PortFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the port there while the server runs.")]
_StandardPortFile = Annotated[
    bool, typer.Option("--standard-port-file", help="Write the port where Pieces OS does, so that programs find it.")
]
_Copy = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="Where the copy goes.")]
_Served = Annotated[Path, typer.Option(metavar="FILE", show_default=False, help="The database, as given to serve.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace FILE when it exists.")]


def _show_version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        version = metadata.version("pieces_orm")
    except metadata.PackageNotFoundError:
        version = "(not installed: run from its source)"
    Screen().say(f"pieces-orm {version}")
    raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(
    port: _Port = 39300,
    host: _Host = "127.0.0.1",
    database: _Database = None,
    token: _Token = None,
    read_only: _ReadOnly = False,
    allow_origin: _Origins = None,
    log: _Log = None,
    port_file: _PortFile = None,
    standard_port_file: _StandardPortFile = False,
) -> None:
    """Run the embedded server until Ctrl-C.

    It speaks the protocol of Pieces OS on 127.0.0.1, for pieces_orm and for other clients. Without --database
    everything is kept in memory and lost at the end.
    """
    if port_file is not None and standard_port_file:
        message = "--standard-port-file names another place: give one of them."
        raise typer.BadParameter(message, param_hint="--port-file")
    wanted = serving.Serving(
        port=port, host=host, database=database, token=token, read_only=read_only, log=log,
        port_file=discovery.port_file() if standard_port_file else port_file, allow_origins=tuple(allow_origin or ()),
    )  # fmt: skip
    serving.serve(Screen(), wanted)


@app.command()
def backup(file: _Copy, database: _Served, force: _Force = False) -> None:
    """Copy a database, also while a server runs on it.

    The copy is one state of the data, is there whole or not at all, and can be served like the database itself. The
    server goes on reading and writing meanwhile.
    """
    run_backup(Screen(), database=database, target=file, force=force)


@app.command()
def demo(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help="A folder or file to work on. Without it: the source of pieces_orm itself.",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A running server to work with, a Pieces OS too, such as http://127.0.0.1:39300."
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN", envvar="PIECES_ORM_TOKEN", show_envvar=False, help="What the server at --url wants to see."
        ),
    ] = None,
    database: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file for the demo's own server. Without it: in memory. Not with --url."),
    ] = None,
) -> None:
    """Turn files into assets, work with them, and delete what was made.

    Each text file becomes an asset, its folder an anchor, each link in it a website, its language a tag; the run
    becomes a workstream event and a summary; all are associated. Then the demo searches, renames an asset, shows what
    a second session hears of it, and deletes what it made, and only that: on a server with data of its own nothing
    else is touched. Binary, empty, hidden and huge (over 1 MB) files are skipped. Ctrl-C stops it and still cleans up.
    """
    if url is not None and database is not None:
        message = "it is for the demo's own server, and --url names another: give one of them."
        raise typer.BadParameter(message, param_hint="--database")
    run_demo(Screen(), path=path, url=url, token=None if url is None else token, database=database)
