"""The database as the server uses it: reads, and writes that are on disk when they return."""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, delete, event, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from ..request_errors import RequestError
from . import backup, upgrades
from .database import WRITES, make_private, new_engine, read_only_uri, read_version
from .disk_errors import cannot_open
from .disk_health import DiskHealth, Report
from .lock import Lock
from .log_owner import NONE, read_stamp
from .open_files import Claim
from .reader import Reader
from .tables import change, log_owner, metadata
from .writer import Changes, Writer

Listener = Callable[[Changes], None]
Hook = Callable[[Writer], None]

_MAX_LOGGED_CHANGES = 100_000
_CHANGES_PER_PRUNING = 1000
_PROBE = "SELECT id FROM material ORDER BY seq LIMIT 1"  # reads the table, and not an index
_BESIDE = {"log (-wal)": "-wal", "index of the log (-shm)": "-shm"}


class Store:
    """One database file, or memory: any number of readers, one writer at a time.

    Args:
        prepare: called in the transaction that opens the database, with its tables there.
        before_commit: called before each transaction is committed.
        read_only: refuse every write, and write nothing to the file or beside it.
        report: called with a sentence when the disk begins to fail, and when it works again.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        prepare: Hook = lambda _: None,
        before_commit: Hook = lambda _: None,
        read_only: bool = False,
        report: Report = lambda _: None,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.read_only = read_only
        self.notice = ""
        self._prepare = prepare
        self._before_commit = before_commit
        self._listener: Listener = lambda _: None
        self._health = DiskHealth(self.path, report)
        self._claim: Claim | None = None
        self._uri = ""
        # In use for as long as the database is open: SQLite removes the log when the last connection is closed.
        self._spare: sqlite3.Connection | None = None
        self._unpruned = 0  # changes logged since the log was pruned
        self._lock: Lock | None = None
        if self.path is None:
            self._engine = new_engine(None)
        else:
            self._lock = Lock(self.path, shared=read_only)
            self._engine = new_engine(self._connect, read_only=read_only)
            event.listen(self._engine, "checkin", self._close_late)
        self._write_engine = self._engine.execution_options(**{WRITES: True})
        self._writing = threading.RLock()
        # In memory there is one connection, which readers and writers share.
        self._reading: AbstractContextManager[object] = self._writing if self.path is None else nullcontext()

    def open(self, listener: Listener) -> None:
        """Open the database and create what is missing; `listener` is called after each commit, in order.

        Raises:
            NotRunningError: the file cannot be opened, is not a Pieces database, has a newer version, is open in
                another server, or would have to be made or upgraded by a read-only store.
        """
        self._listener = listener
        try:
            if self.path is None or self._lock is None:
                self._create(None)
            elif self.read_only:
                self._open_for_reading(self.path, self._lock)
            else:
                self._open_for_writing(self.path, self._lock)
        except BaseException:
            self.close()
            raise

    def _open_for_reading(self, path: Path, lock: Lock) -> None:
        upgrades.check_current(path)
        self._claim = lock.claim()
        lock.take()
        self._uri = read_only_uri(self._claim.path)
        try:
            self._spare = self._begin_use()
        except sqlite3.Error as error:
            raise cannot_open(path, error) from error
        self.notice = make_private(self._claim.path, read_only=True)
        self._health.watch(self._claim, {})

    def _open_for_writing(self, path: Path, lock: Lock) -> None:
        self._claim = lock.claim()
        version = read_version(path)  # raises before a lock file is made beside a file that is not ours
        lock.take()
        real = self._claim.path
        notices = [make_private(real, read_only=False)]
        self._uri = f"{real.as_uri()}?mode=rw"
        backup.remove_unfinished(real.parent)
        kept = upgrades.back_up(path, version)
        try:
            stamp = uuid.uuid4().hex
            # Killed from here on, the server leaves a log to a file that has the new stamp, or not yet.
            lock.write_stamps({NONE, read_stamp(real), stamp})
            self._create(version, stamp)
            self._spare = self._begin_use()
            _, logged, done = self._spare.execute("PRAGMA wal_checkpoint").fetchone()
            if logged == done:  # the stamp is in the file itself
                lock.write_stamps({stamp})
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            self._engine.dispose()
            # A commit that failed may have reached the disk all the same.
            if kept is not None and read_version(path) == version:
                kept.unlink()
            raise cannot_open(path, error) from error
        if kept is not None:
            versions = f"from version {version} to {len(upgrades.STEPS)}"
            notices.append(f"The database {path} was upgraded {versions}; as it was: {kept}")
        self.notice = " ".join(filter(None, notices))
        beside = {name: real.with_name(real.name + end) for name, end in _BESIDE.items()}
        beside |= {} if lock.file is None else {"lock": lock.file}
        # Where SQLite cannot share memory, it keeps no such log.
        self._health.watch(self._claim, {name: file for name, file in beside.items() if file.exists()})

    def _create(self, version: int | None, stamp: str = NONE) -> None:
        """Upgrade the database, create what is missing, and stamp it, in one transaction."""
        with self._write_engine.begin() as connection:
            upgrades.upgrade(connection, version)
            metadata.create_all(connection)
            connection.execute(delete(log_owner))
            connection.execute(insert(log_owner).values(stamp=stamp))
            self._prepare(Writer(connection))
            self._prune(connection)

    def _connect(self) -> sqlite3.Connection:
        if self._claim is None:
            raise sqlite3.OperationalError("unable to open database file: the store is closed")
        return self._claim.connect(self._uri, check_same_thread=False)

    def _begin_use(self) -> sqlite3.Connection:
        """Open the connection that keeps the file in use, and read, as SQLite opens the log only then."""
        connection = self._connect()
        try:
            connection.isolation_level = None
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute(_PROBE).fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _close_late(self, connection: sqlite3.Connection | None, _record: object) -> None:
        """Close a connection that comes back to its pool after the database was closed."""
        if self._claim is None and connection is not None:
            connection.close()

    def _prune(self, connection: Connection) -> None:
        """Forget all but the newest changes."""
        newest = connection.scalar(select(func.max(change.c.seq))) or 0
        connection.execute(delete(change).where(change.c.seq <= newest - _MAX_LOGGED_CHANGES))
        self._unpruned = 0

    @property
    def idle(self) -> bool:
        """True when a read would begin at once: from a file unless its disk fails, from memory when nobody writes."""
        if self.path is not None:
            return self._health.failure is None
        free = self._writing.acquire(blocking=False)
        if free:
            self._writing.release()
        return free

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read one consistent state, whatever is written meanwhile.

        Raises:
            RequestError: 503, the file or its disk fails.
        """
        with self._reading, self._health.operating():
            self._health.check_size()
            with self._engine.connect() as connection, connection.begin():
                yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Write in one transaction: on disk when the block ends, rolled back when it raises.

        Raises:
            RequestError: 403, the store is read-only; 503 or 507, the file is gone, or its disk is full or fails.
        """
        if self.read_only:
            raise RequestError(403, "This server is read-only: nothing can be created, changed or deleted.")
        with self._writing, self._health.operating():
            self._health.check()
            with self._write_engine.begin() as connection:
                writer = Writer(connection)
                yield writer
                self._before_commit(writer)
                writer.log()
                self._unpruned += len(writer.changes)
                if self._unpruned >= _CHANGES_PER_PRUNING:
                    self._prune(connection)
            # Within the lock, so that listeners hear of commits in their order.
            if writer.changes:
                self._listener(writer.changes)
            self._health.check()  # again, as it may have gone before the commit
            self._health.recovered()

    def check_health(self) -> None:
        """Check that the file is there, and that a failing disk works again.

        Raises:
            RequestError: 503 or 507, it does not.
        """
        self._health.check()
        failure = self._health.failure
        if failure is not None and self._writing.acquire(blocking=False):
            try:
                self._try_disk()
            finally:
                self._writing.release()
            failure = self._health.failure
        if failure is not None:
            raise RequestError(failure.status, failure.sentence)

    def _try_disk(self) -> None:
        """Find out, without waiting for other programs, if a disk that failed works again."""
        if self._spare is None:
            return
        try:
            if self.read_only:
                self._spare.execute(_PROBE).fetchone()
            else:
                self._spare.execute(f"PRAGMA user_version = {len(upgrades.STEPS)}")  # a write of what is there already
        except sqlite3.Error:
            self._health.failed_again()
        else:
            self._health.recovered()

    def close(self) -> None:
        """Wait for the writer, close every connection and release the file."""
        with self._writing:
            self._health.unwatch()
            self._claim = None
            self._engine.dispose()
            spare, self._spare = self._spare, None
            if spare is not None:
                spare.close()
            if self._lock is not None:
                self._lock.release()
