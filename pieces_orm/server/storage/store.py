"""The database as the server uses it: reads, and writes that are on disk when they return."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from ..request_errors import RequestError
from . import upgrades
from .database import cannot_open, make_private, new_engine, read_version
from .lock import Lock
from .reader import Reader
from .tables import change, metadata
from .writer import Changes, Writer

Listener = Callable[[Changes], None]
Hook = Callable[[Writer], None]

_MAX_LOGGED_CHANGES = 100_000


class Store:
    """One database file, or memory: any number of readers, one writer at a time.

    Args:
        prepare: called in the transaction that opens the database, with its tables there.
        before_commit: called before each transaction is committed.
        read_only: refuse every write.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        prepare: Hook = lambda _: None,
        before_commit: Hook = lambda _: None,
        read_only: bool = False,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.read_only = read_only
        self.upgrade_notice = ""
        self._prepare = prepare
        self._before_commit = before_commit
        self._listener: Listener = lambda _: None
        self._engine = new_engine(self.path)
        self._lock = None if self.path is None else Lock(self.path)
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
        if self.read_only and self.path is not None:
            upgrades.check_current(self.path)
        if self._lock is not None:
            read_version(self._lock.path)  # raises before a lock file is made beside a file that is not ours
            self._lock.take()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        version = None if self.path is None else read_version(self.path)
        kept = None if self.path is None else upgrades.back_up(self.path, version)
        try:
            if self.path is not None and not self.path.exists():
                make_private(self.path)
            with self._engine.begin() as connection:
                upgrades.upgrade(connection, version)
                metadata.create_all(connection)
                self._prepare(Writer(connection))
                newest = connection.scalar(select(func.max(change.c.seq))) or 0
                connection.execute(delete(change).where(change.c.seq < newest - _MAX_LOGGED_CHANGES))
        except (OSError, SQLAlchemyError) as error:
            if kept is not None:
                kept.unlink()  # all was rolled back: the file is as it was
            raise cannot_open(self.path, error) from error
        if kept is not None:
            versions = f"from version {version} to {len(upgrades.STEPS)}"
            self.upgrade_notice = f"The database {self.path} was upgraded {versions}; as it was: {kept}"

    @property
    def idle(self) -> bool:
        """True when a read would begin at once: from a file always, from memory when nobody writes."""
        if self.path is not None:
            return True
        free = self._writing.acquire(blocking=False)
        if free:
            self._writing.release()
        return free

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read one consistent state, whatever is written meanwhile."""
        with self._reading, self._engine.connect() as connection, connection.begin():
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Write in one transaction: on disk when the block ends, rolled back when it raises.

        Raises:
            RequestError: 403, the store is read-only.
        """
        if self.read_only:
            raise RequestError(403, "This server is read-only: nothing can be created, changed or deleted.")
        with self._writing:
            with self._engine.begin() as connection:
                writer = Writer(connection)
                yield writer
                self._before_commit(writer)
                writer.log()
            # Within the lock, so that listeners hear of commits in their order.
            if writer.changes:
                self._listener(writer.changes)

    def close(self) -> None:
        """Wait for the writer, close every connection and release the file."""
        with self._writing:
            self._engine.dispose()
            if self._lock is not None:
                self._lock.release()
