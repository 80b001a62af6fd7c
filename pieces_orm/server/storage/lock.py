"""The lock that keeps a second server off a database file."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import suppress
from pathlib import Path

from ...errors import DatabaseLockedError, NotRunningError
from . import log_owner
from .disk_errors import cannot_open
from .open_files import Claim, InUseError


class Lock:
    """A lock on a database file, held by the one server that has it open; it dies with its process.

    It has two parts. A claim on the file itself keeps servers apart that know it by different names. SQLite's own
    exclusive lock, on a file beside the database, works on every system and for a file that was replaced. That file
    stays, as removing it would let two servers in at the same moment, and holds the stamps of `log_owner`.

    Args:
        shared: the lock of a server that only reads, which others may have too. It makes no file.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path
        self.file: Path | None = None
        self._shared = shared
        self._claim: Claim | None = None
        self._connection: sqlite3.Connection | None = None

    def claim(self) -> Claim:
        """Claim the file itself, which is made if it is missing; nothing is made beside it.

        Raises:
            DatabaseLockedError: another server has it. NotRunningError: it is not a file that can be opened.
        """
        try:
            # Two names of one file are one database.
            real = self.path.resolve()
            if real.exists():
                self._check(real)
            self._claim = Claim(real, create=not self._shared, shared=self._shared)
        except InUseError:
            raise self._taken() from None
        except (OSError, RuntimeError) as error:  # Python before 3.13 has a RuntimeError for symbolic links in a loop
            raise cannot_open(self.path, error) from error
        return self._claim

    def _check(self, real: Path) -> None:
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            message = f"The database {self.path} cannot be opened: it is not a regular file. Name another one."
            raise NotRunningError(message)
        if found.st_nlink > 1:
            # Each name has a log of its own: after a crash, a server that uses another name would not find it.
            message = f"The database {self.path} cannot be opened: the file has other names too (hard links), under "
            raise NotRunningError(f"{message}which another server could write to it. Copy it, and open the copy.")

    def take(self) -> None:
        """Take the lock on the file beside the claimed one.

        Raises:
            DatabaseLockedError: another server has it. NotRunningError: its file cannot be made.
        """
        if self._claim is None:
            raise AssertionError("claim() comes first")
        real = self._claim.path
        beside = log_owner.lock_file(real)
        if self._shared and not beside.exists():
            return  # no server has had the file here
        try:
            if not beside.exists():
                beside.touch(mode=0o600)
            mode = "ro" if self._shared else "rw"
            uri = f"{beside.as_uri()}?mode={mode}"
            connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise cannot_open(self.path, error) from error
        try:
            if not self._shared:
                connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # which keeps the lock after each commit
            connection.execute("BEGIN" if self._shared else "BEGIN EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not self._shared:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            if "locked" not in str(error):
                raise cannot_open(self.path, error) from error
            raise self._taken() from None
        self._connection = connection
        self.file = beside

    def write_stamps(self, stamps: set[str]) -> None:
        """Note in the lock file, which is held, the stamps of files that may own the log.

        Raises:
            sqlite3.Error: it cannot be written.
        """
        if self._connection is None:
            raise AssertionError("take() comes first")
        log_owner.write_stamps(self._connection, stamps)

    def _taken(self) -> DatabaseLockedError:
        message = f"The database {self.path} cannot be opened: another server has it open. "
        remedy = "Use that server, stop it, or name another file."
        return DatabaseLockedError(f"{message}{remedy}", database=str(self.path))

    def release(self) -> None:
        """Release the lock, if it is held; a file that was made for it and not used is removed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        claim, self._claim = self._claim, None
        if claim is not None:
            with suppress(OSError):
                if claim.created and claim.path.stat().st_size == 0:
                    claim.path.unlink()
            claim.release()
