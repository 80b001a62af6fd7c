"""The database: materials, the edges between them, and a log of changes, durable when a write returns."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from ..http.answers import RefusedError
from . import database
from .reader import Reader
from .tables import change, metadata
from .writer import Changes, Writer

Listener = Callable[[Changes], None]

_KEPT_CHANGES = 100_000


class Store:
    """One database file, or memory: any number of readers, one writer at a time."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else Path(path)
        self._writing = threading.RLock()
        self._engine = database.engine(self.path)
        self._listener: Listener | None = None
        self._lock = None if self.path is None else database.Lock(self.path)
        self.read_only = False
        self.upgraded = ""
        # In memory there is one connection, which readers and writers share.
        self._reading = self._writing if self.path is None else None
        self.prepare: Callable[[Connection], None] = lambda _: None
        self.settle: Callable[[Writer], None] = lambda _: None

    def open(self, listener: Listener) -> None:
        """Create what is missing; `listener` hears of every commit, in order.

        Raises:
            NotRunningError: the file cannot be opened, is no Pieces database, is a newer one's, or another server's.
        """
        self._listener = listener
        if self._lock is not None:
            database.look(self._lock.path)  # beside a file that is not ours nothing is made
            self._lock.take()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        found, steps, kept = database.Found(None), database.STEPS, None
        if self.path is not None:
            found = database.look(self.path)
            kept = database.prepare_upgrade(self.path, found, steps=steps)
        try:
            if self.path is not None and not self.path.exists():
                database.make(self.path)
            with self._engine.begin() as connection:
                database.upgrade(connection, found, steps=steps)
                metadata.create_all(connection)
                self.prepare(connection)
                newest = connection.scalar(select(func.max(change.c.seq))) or 0
                connection.execute(delete(change).where(change.c.seq < newest - _KEPT_CHANGES))
        except (OSError, SQLAlchemyError) as error:
            if kept is not None:
                kept.unlink()  # all was rolled back: the file is as it was
            raise database.cannot_open(self.path, error) from error
        if kept is not None:
            versions = f"from version {found.version} to {len(steps)}"
            self.upgraded = f"The database {self.path} was upgraded {versions}; as it was: {kept}"

    @property
    def idle(self) -> bool:
        """Whether a read would begin at once: in a file always, in memory when nobody writes."""
        if self._reading is None:
            return True
        free = self._reading.acquire(blocking=False)
        if free:
            self._reading.release()
        return free

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One consistent state, whatever is written meanwhile."""
        if self._reading is None:
            with self._engine.connect() as connection, connection.begin():
                yield Reader(connection)
            return
        with self._reading, self._engine.connect() as connection, connection.begin():
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """One transaction: on disk when the block ends, nothing when it raises.

        Raises:
            RefusedError: 403, the store is read-only.
        """
        if self.read_only:
            raise RefusedError(403, "This server is read-only: nothing can be created, changed or deleted.")
        with self._writing:
            with self._engine.begin() as connection:
                writer = Writer(connection)
                yield writer
                self.settle(writer)
                writer.log()
            # Within the lock, so that listeners hear of commits in their order.
            if self._listener is not None and writer.changes:
                self._listener(writer.changes)

    @contextmanager
    def rehearse(self) -> Iterator[Writer]:
        """A transaction that leaves nothing behind: what it would have said is said."""
        with self._writing, self._engine.connect() as connection, connection.begin() as transaction:
            yield Writer(connection)
            transaction.rollback()

    def close(self) -> None:
        """Wait for the writer, close every connection, and let another server have the file."""
        with self._writing:
            self._engine.dispose()
            if self._lock is not None:
                self._lock.release()
