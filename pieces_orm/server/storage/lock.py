"""The lock that keeps a second server off a database file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...errors import NotRunningError
from .database import cannot_open


class Lock:
    """A lock on a database file, held by the one server that has it open; it dies with its process.

    It is SQLite's own exclusive lock, on an empty file beside the database: the same on every system, and not
    inherited by a child process. The file stays, as removing it would let two servers in at the same moment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            NotRunningError: another server has it, or its file cannot be made.
        """
        # Two names of one file are one database.
        real = self.path.resolve()
        if real.exists() and real.stat().st_nlink > 1:
            # Hard links cannot be told apart: two servers would each lock one of the names.
            message = f"The database {self.path} cannot be opened: the file has other names too (hard links), under "
            raise NotRunningError(f"{message}which another server could write to it. Copy it, and open the copy.")
        beside = real.with_name(f"{real.name}.lock")
        try:
            if not beside.exists():
                beside.touch(mode=0o600)
            connection = sqlite3.connect(beside, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise cannot_open(self.path, error) from error
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if "locked" not in str(error):
                raise cannot_open(self.path, error) from error
            message = f"The database {self.path} cannot be opened: another server has it open (lock: {beside}). "
            raise NotRunningError(f"{message}Use that server, stop it, or name another file.") from None
        self._connection = connection

    def release(self) -> None:
        """Release the lock, if it is held."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
