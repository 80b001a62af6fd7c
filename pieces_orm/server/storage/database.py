"""The database file: whether it is one of ours, its version, and its connections."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from ...errors import NotRunningError
from ..workload import stop_if_left
from .disk_errors import cannot_open
from .json_keys import add_functions
from .log_owner import check_log
from .open_files import connect

APPLICATION_ID = 0x50694F72  # "PiOr", in the file's header: tools such as file(1) can tell
_LOG_BYTES = 8 * 1024 * 1024  # to which the log shrinks after a long read has made it longer
_OTHERS = 0o077  # the permissions of everybody but the owner
WRITES = "pieces_orm_writes"  # the option of an engine whose transactions write
_BUSY_TIMEOUT_MS = 10_000
_POOL_SIZE = 8
# The tables by which a file of version 0 is recognized, which has no application id.
_VERSION_0 = {"material": {"kind", "id", "document"}, "edge": {"relation", "id_a", "id_b"}, "change": {"seq", "kind"}}


def read_version(path: Path, *, read_only: bool = False) -> int | None:
    """Read the version of a database without changing the file; None when there is nothing yet.

    Args:
        read_only: make nothing beside the file either; then the log of a server that was killed may be unreadable.

    Raises:
        NotRunningError: it is not a Pieces database, cannot be read, or has the log of another file beside it.
    """
    try:
        check_log(path)
        if not path.exists() or path.stat().st_size == 0:
            return None
        if not path.is_file():
            raise _foreign(path, "it is not a regular file")
        return _version(path, read_only_uri(path) if read_only else _uri(path, log="mode=ro"))
    except (OSError, RuntimeError, sqlite3.Error) as error:
        if read_only and "unable to open" in str(error) and path.with_name(f"{path.name}-wal").exists():
            message = f"The database {path} was not closed by the server that had it, and its log cannot be read "
            raise NotRunningError(f"{message}without writing. Start a server that may write, once.") from error
        if "not a database" in str(error):
            raise _foreign(path, "it is not a SQLite file") from error
        raise cannot_open(path, error) from error


def read_only_uri(path: Path) -> str:
    """Return SQLite's name for a file that is read only; nothing is written to it, nor beside it."""
    return _uri(path, log="mode=ro&readonly_shm=1")


def _uri(path: Path, *, log: str) -> str:
    """Return SQLite's name for a file that is read; `log` says how when there is a log beside it."""
    # Without one, the file is all there is; opened as usual, SQLite would make files beside it.
    real = path.resolve()
    beside = [real.with_name(real.name + end) for end in ("-wal", "-journal")]
    whole = not any(file.exists() and file.stat().st_size for file in beside)
    return f"{real.as_uri()}?{'mode=ro&immutable=1' if whole else log}"


def _version(path: Path, uri: str) -> int | None:
    # Through SQLite alone: a descriptor of our own, once closed, would cost a server in this process its locks.
    with closing(connect(path, uri)) as database:
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
    message = f"The database {path} cannot be opened: it is not a Pieces database, because {why}. It was not touched; "
    return NotRunningError(message + "name another file.")


def make_private(path: Path, *, read_only: bool) -> str:
    """Let only its owner read a database, and return a sentence when others could; empty when not.

    Args:
        read_only: change nothing.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name != "posix" or not mode & _OTHERS:
        return ""
    if read_only:
        return f"The database {path} can be read by others on this machine (mode {mode:o})."
    said = f"The database {path} could be read by others on this machine (mode {mode:o})"
    try:
        for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            if file.exists():
                file.chmod(mode & ~_OTHERS)
    except OSError as error:
        return f"{said}, which cannot be changed: {error.strerror}."
    return f"{said}; now it can be read by its owner only."


def new_engine(connect_to_file: Callable[[], sqlite3.Connection] | None, *, read_only: bool = False) -> Engine:
    """Make the connections to a file, or to memory; what is committed to a file survives a power failure."""
    pragmas = [f"busy_timeout={_BUSY_TIMEOUT_MS}"]
    if connect_to_file is None:
        engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
    else:
        # Not mapped into memory (mmap_size): what a failing disk or a truncated file would kill the process for, is an
        # error now.
        pragmas += [] if read_only else ["journal_mode=WAL", "synchronous=FULL", f"journal_size_limit={_LOG_BYTES}"]
        engine = create_engine(
            "sqlite://", creator=connect_to_file, poolclass=QueuePool, pool_size=_POOL_SIZE, max_overflow=-1
        )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would begin transactions late, and a read of several queries would not be one state.
        connection.isolation_level = None
        add_functions(connection)
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()  # nobody else does, and it would keep the file open
            raise

    @event.listens_for(engine, "before_cursor_execute")
    def check_client(*_: Any) -> None:
        stop_if_left()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer waits for other programs here: SQLite does not wait where a read becomes a write.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
