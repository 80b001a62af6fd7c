"""The database files that this process has open, by device and inode.

When a process closes any descriptor of a file, the system releases all POSIX locks that the process holds on that file,
SQLite's included. The next program that closes the database then takes itself for the last, and deletes the log with
what was written. So nothing opens a database file beside SQLite, with one exception: the descriptor that carries the
`flock` is opened before SQLite's first and closed after its last. SQLite's own connections do no harm to each other.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

from attrs import define, field

from ...concurrency.forking import fork_safe

if sys.platform == "linux":
    import fcntl

Key = tuple[int, int]
"""Device and inode of a file."""

_PRIVATE = 0o600
_GONE = "unable to open database file"  # in SQLite's words
# Over these, the system makes an flock of POSIX locks, which SQLite's own would run into.
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3"})


class InUseError(Exception):
    """A server has the file open: in this process, or in another one."""


@define
class _OpenFile:
    """One file that is open: the servers that claim it, SQLite's connections to it, and descriptors to close last.

    `locked` is the descriptor that carries the `flock`; another one could not have it.
    """

    key: Key
    holders: int = 0
    shared: bool = False
    locked: int | None = None
    connections: int = 0
    descriptors: list[int] = field(factory=list)


_files: dict[Key, _OpenFile] = {}
_mutex = fork_safe(threading.RLock())


def key_of(path: Path) -> Key:
    """Return device and inode of a file, without opening it."""
    found = path.stat()
    return found.st_dev, found.st_ino


class Claim:
    """The right of one server to a file, for as long as it and SQLite have it open.

    On Linux it is an `flock` on the inode, so that it holds under every name of the file, those in other containers
    included. Elsewhere `flock` and SQLite's own locks run into each other, and only the servers of this process are
    kept apart.

    Args:
        path: the real path of a regular file.
        create: make the file when it is missing, readable by its owner only.
        shared: let others have a shared claim too; for those that only read.

    Raises:
        InUseError: another server has it open.
        OSError: it cannot be opened or made.
    """

    def __init__(self, path: Path, *, create: bool, shared: bool) -> None:
        self.path = path
        self.created = False
        with _mutex:
            if path.exists():
                _refuse_claimed(key_of(path), shared=shared)
            descriptor = self._opened(create=create, shared=shared)
            found = os.fstat(descriptor)
            self.key = found.st_dev, found.st_ino
            self._file = file = _files.setdefault(self.key, _OpenFile(self.key))
            # From here on, the descriptor is closed only when nobody in this process has the file open.
            file.descriptors.append(descriptor)
            self.descriptor = descriptor
            try:
                _refuse_claimed(self.key, shared=shared)
                # A server that has stopped leaves its lock here, while requests of it are under way.
                file.locked = descriptor if file.locked is None else file.locked
                _lock(file.locked, shared=shared)
            except BaseException:
                _close_unused(file)
                raise
            file.holders += 1
            file.shared = shared

    def _opened(self, *, create: bool, shared: bool) -> int:
        flags = os.O_RDONLY if shared else os.O_RDWR
        if create:
            try:
                descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, _PRIVATE)
            except FileExistsError:
                pass
            else:
                self.created = True
                return descriptor
        return os.open(self.path, flags)

    def connect(self, uri: str, **options: Any) -> Connection:
        """Open a SQLite connection to the file, and never to another one that has taken its place.

        Raises:
            sqlite3.OperationalError: the file cannot be opened, or is gone.
        """
        try:
            connection = connect(self.path, uri, **options)
        except OSError as error:
            raise sqlite3.OperationalError(_GONE) from error
        if connection.file is not self._file:
            connection.close()
            raise sqlite3.OperationalError(_GONE)
        return connection

    def release(self) -> None:
        """Give the right up; the file stays locked until the last connection to it is closed."""
        with _mutex:
            self._file.holders -= 1
            _close_unused(self._file)


def connect(path: Path, uri: str, **options: Any) -> Connection:
    """Open a SQLite connection, counted among those before which no descriptor of the file is closed.

    Raises:
        sqlite3.Error, OSError: the file cannot be opened.
    """
    key = key_of(path)
    with _mutex:
        file = _files.setdefault(key, _OpenFile(key))
        file.connections += 1
    try:
        connection = sqlite3.connect(uri, uri=True, factory=Connection, **options)
    except BaseException:
        _disconnected(file)
        raise
    connection.file = file
    return connection


class Connection(sqlite3.Connection):
    """A connection that is counted while it is open."""

    file: _OpenFile | None = None

    def close(self) -> None:
        """Close the connection."""
        super().close()
        file, self.file = self.file, None
        if file is not None:
            _disconnected(file)


def _disconnected(file: _OpenFile) -> None:
    with _mutex:
        file.connections -= 1
        _close_unused(file)


def _refuse_claimed(key: Key, *, shared: bool) -> None:
    file = _files.get(key)
    if file is not None and file.holders and not (shared and file.shared):
        raise InUseError


def _lock(descriptor: int, *, shared: bool) -> None:
    if sys.platform == "linux" and not _is_on_network(os.fstat(descriptor).st_dev):
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUseError from None
        except OSError:
            return  # a file system without such locks


def _is_on_network(device: int) -> bool:
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    # The type follows a dash, as the number of fields before it varies.
    kinds = {line.partition(" - ")[2].split()[0] for line in mounts if line.split()[2] == number}
    return bool(kinds & _NETWORK_FILE_SYSTEMS)


def _close_unused(file: _OpenFile) -> None:
    # A forked child has let go of the files of its parent, and may have opened them anew.
    if not file.holders and not file.connections and _files.get(file.key) is file:
        del _files[file.key]
        for descriptor in file.descriptors:
            os.close(descriptor)


def _forget() -> None:
    """Leave the files to the parent: a child has none of its POSIX locks, and must not outlive it with its `flock`."""
    for file in _files.values():
        for descriptor in file.descriptors:
            os.close(descriptor)
    _files.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
