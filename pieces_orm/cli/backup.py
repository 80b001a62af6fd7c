"""`pieces-orm backup`: copy a database, even while a server uses it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from .errors import CommandError
from .interrupts import Interrupts
from .terminal import Terminal


def backup(
    file: Annotated[Path, Argument(metavar="FILE", help="The copy to create.")],
    database: Annotated[Path, Option(metavar="DATABASE", help="The database, as given to serve.")],
    force: Annotated[bool, Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Copy a database, even while a server uses it.

    The copy holds the data as it was at one moment and can be served like the database itself. It appears only when it
    is complete. The server keeps reading and writing meanwhile.
    """
    from ..server.storage.backup import copy  # noqa: PLC0415 an extra, which may be missing
    from ..server.storage.database import read_version  # noqa: PLC0415

    if file.is_dir():
        raise CommandError(f"{file} is a folder; name a file in it.")
    if read_version(database) is None:
        raise CommandError(f"There is no Pieces database at {database}.")
    if file.exists() and file.samefile(database):
        raise CommandError(f"{file} is the database itself; name another file.")
    terminal = Terminal()
    with Interrupts() as interrupts, terminal.progress() as bar:
        task = bar.add_task("Copying the database", total=None)

        def show(done: int, total: int) -> None:
            interrupts.check()
            bar.update(task, completed=done, total=total)

        try:
            copy(database, file, force=force, progress=show)
        except FileExistsError as error:
            remedy = "--force replaces it" if file.exists() and not force else "name another file"
            raise CommandError(f"No backup was made: {error}; {remedy}.") from error
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"No backup was made: {_reason(error, file, database)}") from error
    terminal.say(f"Backup: {file.resolve()} ({file.stat().st_size} bytes)")


def _reason(error: OSError | sqlite3.Error, file: Path, database: Path) -> str:
    """Return sentences with the reason why there is no backup, and the remedy."""
    from ..server.storage.disk_errors import FULL, cause_of  # noqa: PLC0415 an extra, which may be missing

    cause = cause_of(error, file)
    if cause is FULL:
        return f"the disk of {file} is full. Free some space on it, or name a file on another disk."
    if isinstance(error, OSError):
        return f"{file} cannot be written: {error.strerror or error}. Name a file in an existing folder."
    return f"{database}: {cause.reason}. {cause.remedy}" if cause is not None else f"{error}."
