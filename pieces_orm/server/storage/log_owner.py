"""Stamps that tell whether a database and the log beside it belong together.

A server that is killed leaves a log, and SQLite plays it into whatever file is in the database's place when that is
opened next. So each server that writes puts a new stamp into the database file and into the lock file beside it. The
stamps travel with the files when they are moved or copied together. A backup has no stamp, and an earlier copy of the
file has an older one: neither gets a log that is not its own.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ...errors import NotRunningError
from .open_files import connect

NONE = ""  # stands for a file without a stamp, or one that cannot be read without its log
_SELECT = "SELECT stamp FROM log_owner"


def lock_file(path: Path) -> Path:
    """Return the lock file of a database, given its real path."""
    return path.with_name(f"{path.name}.lock")


def check_log(path: Path) -> None:
    """Refuse a database that has the log of another file beside it; nothing is changed.

    Raises:
        NotRunningError: it has.
    """
    real = path.resolve()
    log = next((log for log in _logs(real) if log.exists() and log.stat().st_size), None)
    lock = lock_file(real)
    owners = _owners(lock) if log is not None else set()
    if log is None or not owners or read_stamp(real) in owners:
        return
    rest = f" and {real.name}-shm" if log.name.endswith("-wal") else ""
    raise NotRunningError(
        f"The database {path} cannot be opened: {log.name} belongs to another file, which was in its place before. "
        f"Nothing was changed. To open a backup that was put there, remove {log.name}{rest}. If files that belong "
        f"together were renamed, remove {lock.name} instead."
    )


def _logs(real: Path) -> list[Path]:
    return [real.with_name(real.name + end) for end in ("-wal", "-journal")]


def _owners(lock: Path) -> set[str]:
    """Read the stamps of the files that may own the log; empty when nothing is known, or while a server runs."""
    if not lock.exists():
        return set()
    uri = f"{lock.as_uri()}?mode={'rw' if os.access(lock, os.W_OK) else 'ro'}"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as opened:
            return {stamp for (stamp,) in opened.execute(_SELECT)}
    except sqlite3.Error:
        return set()


def read_stamp(real: Path) -> str:
    """Read the stamp in a database file as it is without its log; `NONE` when it has none."""
    try:
        with closing(connect(real, f"{real.as_uri()}?mode=ro&immutable=1")) as database:
            (stamp,) = database.execute(_SELECT).fetchone() or (NONE,)
    except (OSError, sqlite3.Error):
        return NONE
    return str(stamp)


def write_stamps(connection: sqlite3.Connection, stamps: set[str]) -> None:
    """Replace the stamps in a lock file; they are on disk when this returns."""
    with connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE IF NOT EXISTS log_owner(stamp TEXT NOT NULL)")
        connection.execute("DELETE FROM log_owner")
        connection.executemany("INSERT INTO log_owner VALUES (?)", [(stamp,) for stamp in sorted(stamps)])
