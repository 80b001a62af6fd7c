"""`pieces-orm backup`: a copy of the database, also while a server has it open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ToolError
from .interrupts import Stop
from .serving import server_extra
from .terminal import Screen

_PERCENT = 100


def backup(screen: Screen, *, database: Path, target: Path, force: bool) -> None:
    """Copy a database as it is at one moment; no write waits for it.

    Args:
        database: the file that a server is started with.
        target: the copy, which is there whole or not at all.
        force: replace the target when it exists.

    Raises:
        ToolError: it cannot be copied; the message says why.
        NotRunningError: it is no Pieces database.
        StoppedError: somebody stopped it; nothing is left.
    """
    with server_extra():
        from ..server.storage import backup  # noqa: PLC0415 an extra, which may be missing
        from ..server.storage.database import read_version  # noqa: PLC0415
    if read_version(database) is None:
        raise ToolError(f"There is no Pieces database at {database}.")
    if target.exists() and target.samefile(database):
        raise ToolError(f"{target} is the database itself; name another file.")
    with Stop() as stop, _bar(screen, stop) as progress:
        try:
            backup.copy(database, target, force=force, progress=progress)
        except FileExistsError as error:
            hint = "--force replaces it" if target.exists() and not force else "name another file"
            raise ToolError(f"The backup was not made: {error}; {hint}.") from error
        except OSError as error:
            message = f"The backup was not made: {target} cannot be written: {error.strerror or error}. "
            raise ToolError(f"{message}Name a file in a folder that is there.") from error
        except sqlite3.Error as error:
            raise ToolError(f"The backup was not made: {error}.") from error
    screen.say(f"Backup: {target.resolve()} ({target.stat().st_size} bytes)")


@contextmanager
def _bar(screen: Screen, stop: Stop) -> Iterator[Callable[[int, int], None]]:
    """Show the progress on a terminal, and look whether somebody wants to stop."""
    if not screen.terminal:
        yield lambda _done, _all: stop.check()
        return
    with screen.step("Copying the database", _PERCENT) as advance:
        shown = 0

        def moved(done: int, total: int) -> None:
            nonlocal shown
            stop.check()
            while shown < done * _PERCENT // max(total, 1):
                shown += 1
                advance()

        yield moved
