"""The database file: whether it is one of ours, its version, and its connections."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from ...errors import NotRunningError

APPLICATION_ID = 0x50694F72  # "PiOr", in the file's header: tools such as file(1) can tell
_HEADER = b"SQLite format 3\0"
_MMAP_BYTES = 256 * 1024 * 1024
_BUSY_TIMEOUT_MS = 10_000
_POOL_SIZE = 8
# The tables by which a file of version 0 is recognized, which has no application id.
_VERSION_0 = {"material": {"kind", "id", "document"}, "edge": {"relation", "id_a", "id_b"}, "change": {"seq", "kind"}}


def read_version(path: Path) -> int | None:
    """Read the version of a database without changing the file; None when there is nothing yet.

    Raises:
        NotRunningError: it is not a Pieces database, or cannot be read.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            return None
        with path.open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise _foreign(path, "it is not a SQLite file")
        return _version(path)
    except (OSError, sqlite3.Error) as error:
        raise cannot_open(path, error) from error


def _version(path: Path) -> int | None:
    # Without a log beside it the file is all there is; opened as usual, SQLite would make files beside it.
    beside = [path.with_name(path.name + end) for end in ("-wal", "-journal")]
    whole = not any(file.exists() and file.stat().st_size for file in beside)
    uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if whole else ''}"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        (application_id,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if application_id == APPLICATION_ID:
            return int(version)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables and not application_id and not version:
            return None
        for table, columns in _VERSION_0.items():
            has = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            if application_id or version or not columns <= has:
                raise _foreign(path, "its tables are another program's")
        return 0


def _foreign(path: Path, why: str) -> NotRunningError:
    message = f"The database {path} cannot be opened: it is not a Pieces database, {why}. It was not touched; "
    return NotRunningError(message + "name another file.")


def cannot_open(path: Path | None, error: BaseException) -> NotRunningError:
    """Make the error for a file that the system or SQLite refuses."""
    reason = getattr(error, "orig", error)
    message = f"The database {path} cannot be opened: {reason}. Name a file in a folder you may write to."
    return NotRunningError(message)


def make_private(path: Path) -> None:
    """Make an empty file that only its owner can read."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def new_engine(path: Path | None) -> Engine:
    """Make the connections to a file, or to memory; what is committed to a file survives a power failure."""
    options: dict[str, Any] = {"poolclass": StaticPool}
    if path is not None:
        options = {"poolclass": QueuePool, "pool_size": _POOL_SIZE, "max_overflow": -1}
    url = URL.create("sqlite", database=None if path is None else str(path))
    engine = create_engine(url, connect_args={"check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would begin transactions late, and a read of several queries would not be one state.
        connection.isolation_level = None
        limits = (f"busy_timeout={_BUSY_TIMEOUT_MS}", f"mmap_size={_MMAP_BYTES}")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", *limits):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
