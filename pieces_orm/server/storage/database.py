"""The database file: whether it is one of ours, its version, its connections, and the lock against a second server."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from attrs import frozen
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from ...errors import NotRunningError
from .backup import copy

APPLICATION_ID = 0x50694F72  # "PiOr", in the file's header: tools such as file(1) can tell
_HEADER = b"SQLite format 3\0"
# Of version 0, which bore no mark of its own.
_TABLES = {"material": {"kind", "id", "document"}, "edge": {"relation", "id_a", "id_b"}, "change": {"seq", "kind"}}

Step = Callable[[Connection], None]


def _mark(connection: Connection) -> None:
    """Version 1: the file says whose it is, and which version."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


STEPS: Sequence[Step] = (_mark,)
"""The step at place n leads from version n to n + 1; a step that was released is never changed."""


@frozen
class Found:
    """What is at a path before it is opened: nothing (no version), or a database of ours."""

    version: int | None


def look(path: Path) -> Found:
    """Look at a file without changing it.

    Raises:
        NotRunningError: it is no Pieces database, or cannot be read.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            return Found(None)
        with path.open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise _foreign(path, "it is no SQLite file")
        return Found(_version(path))
    except (OSError, sqlite3.Error) as error:
        raise cannot_open(path, error) from error


def _version(path: Path) -> int | None:
    # Without a log beside it the file is all there is; opened as usual, SQLite would make files beside it.
    beside = [path.with_name(path.name + end) for end in ("-wal", "-journal")]
    whole = not any(file.exists() and file.stat().st_size for file in beside)
    uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if whole else ''}"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        (mark,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if mark == APPLICATION_ID:
            return int(version)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables and not mark and not version:
            return None
        for table, columns in _TABLES.items():
            has = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            if mark or version or not columns <= has:
                raise _foreign(path, "its tables are another program's")
        return 0


def _foreign(path: Path, why: str) -> NotRunningError:
    message = f"The database {path} cannot be opened: it is no Pieces database, {why}. It was not touched; "
    return NotRunningError(message + "name another file.")


def cannot_open(path: Path | None, error: BaseException) -> NotRunningError:
    """The error for a file that the system or SQLite refuses."""
    reason = getattr(error, "orig", error)
    message = f"The database {path} cannot be opened: {reason}. Name a file in a folder you may write to."
    return NotRunningError(message)


def check_readable(path: Path) -> None:
    """Refuse a file that would have to be made or changed to be read.

    Raises:
        NotRunningError: it is not there, or of another version, or no database.
    """
    found = look(path)
    if found.version is None:
        raise NotRunningError(f"The database {path} is not there, and a server that is read-only makes none.")
    if found.version < len(STEPS):
        message = f"The database {path} is of version {found.version}: it has to be upgraded to {len(STEPS)}, which "
        raise NotRunningError(f"{message}a server that is read-only does not do. Start one that may write, once.")


def prepare_upgrade(path: Path, found: Found, *, steps: Sequence[Step]) -> Path | None:
    """Copy an older file before it is upgraded, and say where; None when there is nothing to upgrade.

    Raises:
        NotRunningError: the file is of a newer version, or cannot be copied.
    """
    if found.version is None or found.version == len(steps):
        return None
    if found.version > len(steps):
        message = f"The database {path} is of version {found.version}, made by a newer pieces_orm; this one knows "
        raise NotRunningError(f"{message}versions up to {len(steps)}. Install the newer one, or name another file.")
    kept = _copy_name(path, found.version)
    try:
        copy(path, kept)
    except (OSError, sqlite3.Error) as error:
        message = f"The database {path} has to be upgraded, and cannot be copied to {kept} first: {error}. "
        raise NotRunningError(f"{message}It was not touched.") from error
    return kept


def _copy_name(path: Path, version: int) -> Path:
    name = f"{path.name}.version-{version}.{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}"
    taken = 0
    while (kept := path.with_name(name + (f".{taken}" if taken else ""))).exists():
        taken += 1
    return kept


def upgrade(connection: Connection, found: Found, *, steps: Sequence[Step]) -> None:
    """Bring a database to this version, within the caller's transaction; a new one only gets its marks."""
    if found.version == len(steps):
        return
    if found.version is None:
        _mark(connection)
    else:
        for step in steps[found.version :]:
            step(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")


class Lock:
    """Held by the one server on a file; it dies with its process, however that dies.

    It is SQLite's own exclusive lock, on an empty file beside the database: the same on every system, and a child
    process does not inherit it. The file stays, as removing it would let two servers in at the same moment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: sqlite3.Connection | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            NotRunningError: another server has it, or the file cannot be made.
        """
        # Two names of one file are one database.
        real = self.path.resolve()
        if real.exists() and real.stat().st_nlink > 1:
            # The names of a hard link cannot be told from each other: two servers would each lock one.
            message = f"The database {self.path} cannot be opened: the file has other names too (hard links), under "
            raise NotRunningError(f"{message}which another server could write to it. Copy it, and open the copy.")
        beside = real.with_name(f"{real.name}.lock")
        try:
            if not beside.exists():
                beside.touch(mode=0o600)
            held = sqlite3.connect(beside, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise cannot_open(self.path, error) from error
        try:
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            held.close()
            if "locked" not in str(error):
                raise cannot_open(self.path, error) from error
            message = f"The database {self.path} cannot be opened: another server has it open (lock: {beside}). "
            raise NotRunningError(f"{message}Use that server, stop it, or name another file.") from None
        self._held = held

    def release(self) -> None:
        """Let the next server in."""
        held, self._held = self._held, None
        if held is not None:
            with suppress(sqlite3.Error):
                held.execute("ROLLBACK")
            held.close()


def make(path: Path) -> None:
    """Make an empty file that only its owner can read."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def engine(path: Path | None) -> Engine:
    """The connections to a file, or to memory: what is committed is on disk, whatever happens to the machine."""
    if path is None:
        options: dict[str, Any] = {"poolclass": StaticPool}
        made = create_engine("sqlite://", connect_args={"check_same_thread": False}, **options)
    else:
        options = {"poolclass": QueuePool, "pool_size": 8, "max_overflow": -1}
        made = create_engine(
            URL.create("sqlite", database=str(path)), connect_args={"check_same_thread": False}, **options
        )

    @event.listens_for(made, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would begin transactions late, and a read of several queries would not be one state.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "mmap_size=268435456"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return made
