"""The entry point of the command line: `pieces-orm`, or `python -m pieces_orm.cli.main`.

The commands are in `app`, which needs the extra `cli`; this module needs nothing, so that it can say what is missing.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from ..errors import PiecesError

EXTRA = {"typer": "cli", "rich": "cli", "click": "cli"}


def main() -> NoReturn:
    """Run the command that the program's arguments name.

    Exit codes: 0 done; 1 refused or failed, with a sentence on stderr; 2 wrong usage, or the extra `cli` is missing;
    130 stopped by Ctrl-C.
    """
    try:
        from .app import app  # noqa: PLC0415 an extra, which may be missing
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRA:
            raise
        _fail(f"The command line is an extra ({missing} is missing): pip install 'pieces_orm[cli,server]'.", 2)
    from .errors import StoppedError  # noqa: PLC0415 imported with the commands

    # File names need not be text that this terminal can show.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="pieces-orm")
    except StoppedError as error:
        _fail(str(error), 130)
    except KeyboardInterrupt:
        # Python would end the process by the signal itself, which says nothing of how far it came.
        _fail("Stopped.", 130)
    except PiecesError as error:
        _fail(str(error), 1)
    raise SystemExit(0)


def _fail(message: str, code: int) -> NoReturn:
    print(f"pieces-orm: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201 this is the place that prints errors
    raise SystemExit(code)


if __name__ == "__main__":
    main()
