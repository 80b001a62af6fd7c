"""The entry point of `pieces-orm`: its commands, its exit codes, and the message when an extra is missing.

The commands need the extra `cli`. They are imported inside a function, so that a missing extra can be reported.
"""

import sys
from collections.abc import Callable
from importlib import metadata
from typing import Annotated, NoReturn

from ..errors import PiecesError
from .errors import StoppedError, WrongUsageError, report


def main() -> NoReturn:
    """Run the command that the program's arguments name, and exit.

    Exit codes: 0 success; 1 refused or failed, with the reason on standard error; 2 wrong usage, or the extra `cli` is
    missing; 130 stopped by Ctrl-C or SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # File names may contain characters that this terminal cannot show.
            stream.reconfigure(errors="replace")
    try:
        _application()(prog_name="pieces-orm")
    except ModuleNotFoundError as error:
        report(f"The Python module {error.name} is missing. Install it: pip install 'pieces_orm[cli,server]'.")
        raise SystemExit(2 if error.name in {"click", "rich", "typer"} else 1) from error
    except (StoppedError, KeyboardInterrupt) as error:
        report("Stopped.")
        raise SystemExit(130) from error
    except PiecesError as error:
        report(str(error))
        raise SystemExit(2 if isinstance(error, WrongUsageError) else 1) from error
    raise SystemExit(0)


def _application() -> Callable[..., None]:
    import typer  # noqa: PLC0415

    from .backup import backup  # noqa: PLC0415
    from .demo.run import demo  # noqa: PLC0415
    from .serve import EXAMPLES, serve  # noqa: PLC0415

    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            typer.echo(f"pieces-orm {metadata.version('pieces_orm')}")
            raise typer.Exit

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
        ] = False,
    ) -> None:
        """Serve Pieces data, back it up, and see what this package does with it."""

    app.command(epilog=EXAMPLES)(serve)
    for command in (backup, demo):
        app.command()(command)
    return app
