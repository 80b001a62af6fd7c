"""Failures of the disk and of the database file, as causes and remedies that can be told."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from attrs import frozen

from ...errors import DatabaseLockedError, NotRunningError

_SERVICE_UNAVAILABLE, _INSUFFICIENT_STORAGE = 503, 507


@frozen
class Cause:
    """A reason why a database cannot be used.

    `status` is that of answers to requests. `lasts` is True when later success elsewhere does not show that it is over.
    """

    status: int
    reason: str
    remedy: str
    lasts: bool = False


FULL = Cause(_INSUFFICIENT_STORAGE, "the disk is full", "Free some space on it.")
_FAILING = Cause(_SERVICE_UNAVAILABLE, "the disk fails (I/O error)", "Check the disk, and the log of the system.")
_DAMAGED = Cause(
    _SERVICE_UNAVAILABLE, "the file is damaged", "Stop the server, keep a copy of the file, and restore a backup.",
    lasts=True,
)  # fmt: skip
_LOCKED = Cause(_SERVICE_UNAVAILABLE, "another program keeps it locked", "Stop that program, and try again.")
_READ_ONLY = Cause(
    _SERVICE_UNAVAILABLE, "it may not be written", "Allow writing to the file and its folder, or serve it read-only."
)
_UNOPENED = Cause(
    _SERVICE_UNAVAILABLE, "its files cannot be opened", "Name a file in a folder you may write to, or close programs."
)
# By what SQLite's messages contain; Python 3.10 does not tell its codes.
_CAUSES = {
    "database or disk is full": FULL,
    "disk I/O error": _FAILING,
    "malformed": _DAMAGED,
    "not a database": _DAMAGED,
    "is locked": _LOCKED,
    "locking protocol": _LOCKED,
    "readonly database": _READ_ONLY,
    "unable to open database file": _UNOPENED,
}
_ERRNOS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EIO: _FAILING,
    errno.EROFS: _READ_ONLY,
}


def cause_of(error: BaseException, path: Path | None) -> Cause | None:
    """Return the cause of an error of SQLite or the system; None when it is not the disk's or the file's.

    Args:
        path: of the database, to tell a full disk from one that fails in another way.
    """
    error = getattr(error, "orig", None) or error
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0)
    if not isinstance(error, sqlite3.Error):
        return None
    cause = next((cause for words, cause in _CAUSES.items() if words in str(error)), None)
    # SQLite tells a full disk as such only where it writes pages, not where it makes its other files larger.
    return FULL if cause in (_FAILING, _UNOPENED) and path is not None and _is_full(path.parent) else cause


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except (AttributeError, OSError):  # Windows has no statvfs
        return False
    if found.f_flag & os.ST_RDONLY:
        return False
    return found.f_bavail == 0 or (found.f_files > 0 and found.f_favail == 0)


def cannot_open(path: Path | None, error: BaseException) -> NotRunningError:
    """Make the error for a file that the system or SQLite refuses."""
    cause = cause_of(error, path)
    reason, remedy = getattr(error, "orig", error), "Name a file in a folder you may write to."
    if isinstance(error, FileNotFoundError) and path is not None and not path.parent.exists():
        reason, remedy = f"the folder {path.parent} does not exist", "Create it, or name a file in another one."
    if cause is not None:
        reason, remedy = f"{cause.reason} ({reason})", cause.remedy
    message = f"The database {path} cannot be opened: {reason}. {remedy}"
    return DatabaseLockedError(message, database=str(path)) if cause is _LOCKED else NotRunningError(message)
