"""Copies of a database that hold one state of it, made while a server writes to it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from .database import read_only_uri
from .open_files import connect

_PAGES_PER_STEP = 1000  # copied between two calls of the progress function: 4 MB
_BUSY_TIMEOUT_S = 10
_SUFFIX = ".pieces-part"  # of a copy under way

Progress = Callable[[int, int], None]
"""Called with the pages copied and the pages there are; an exception ends the copy, and nothing is left of it."""


def copy(source: Path, target: Path, *, force: bool = False, progress: Progress = lambda _done, _all: None) -> None:
    """Copy a database to a file that appears only when it is complete, and that only its owner can read.

    Args:
        source: a database; a server may write to it meanwhile, and does not wait.
        target: created; its folder must exist.
        force: replace the target when it exists.
        progress: called during the copy.

    Raises:
        FileExistsError: the target exists; pass `force`, or name another file.
        sqlite3.Error, OSError: the source cannot be read, or the target cannot be written.
    """
    _refuse_existing(target, force=force)
    remove_unfinished(target.parent)
    # mkstemp makes it readable by its owner only. In the target's folder, as only there a rename is one step.
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_SUFFIX, dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        _copy_pages(source, part, progress)
        _sync(part)
        _refuse_existing(target, force=force)
        part.replace(target)
        _sync(target.parent)
    finally:
        _remove(part)


def remove_unfinished(folder: Path) -> None:
    """Remove what copies that were killed have left in a folder; those under way hold a lock, and stay."""
    with suppress(OSError):
        for part in list(folder.glob(f".*{_SUFFIX}")):
            if not _is_locked(part):
                _remove(part)


def _is_locked(part: Path) -> bool:
    try:
        with closing(sqlite3.connect(part, timeout=0)) as database:
            database.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        return "locked" in str(error)  # otherwise the copy was stopped before it was a database
    return False


def _remove(part: Path) -> None:
    for left in (*(part.with_name(part.name + end) for end in ("-journal", "-wal", "-shm")), part):
        with suppress(OSError):
            left.unlink()


def _refuse_existing(target: Path, *, force: bool) -> None:
    """Raise FileExistsError when a copy may not go there."""
    if target.exists() and not force:
        raise FileExistsError(f"{target} exists")
    for end in ("-wal", "-journal"):
        log = target.with_name(target.name + end)
        if log.exists():
            # SQLite would play the log of what was there before into the copy.
            raise FileExistsError(f"{log} exists: the database there is open, or was not closed")


def _copy_pages(source: Path, part: Path, progress: Progress) -> None:
    def report(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    real = source.resolve()
    # SQLite needs files beside one that has a log; where it cannot make them, the file is only read.
    uri = f"{real.as_uri()}?mode=rw" if os.access(real.parent, os.W_OK) else read_only_uri(real)
    with (
        closing(connect(real, uri, isolation_level=None, timeout=_BUSY_TIMEOUT_S)) as origin,
        closing(sqlite3.connect(part, isolation_level=None)) as destination,
    ):
        # Locked from its first byte to its last check, so that nobody takes it for what a killed copy has left.
        destination.execute("PRAGMA locking_mode=EXCLUSIVE").fetchone()
        destination.executescript("BEGIN EXCLUSIVE; COMMIT")
        # One read transaction around all steps: without it, every write of the server would begin the copy anew.
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(destination, pages=_PAGES_PER_STEP, progress=report)
        origin.execute("ROLLBACK")
        # The log of the database is not the copy's.
        destination.execute("DROP TABLE IF EXISTS log_owner")
        (result,) = destination.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise sqlite3.DatabaseError(f"database disk image is malformed: {result}")


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on disk; Windows cannot wait for folders."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
