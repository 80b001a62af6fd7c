"""Upgrades of older database files, step by step, each copied first."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from ...errors import NotRunningError
from .backup import copy
from .database import APPLICATION_ID, read_version

Step = Callable[[Connection], None]


def _mark(connection: Connection) -> None:
    """Upgrade to version 1: the file says whose it is."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


STEPS: Sequence[Step] = (_mark,)
"""The step at index n leads from version n to n + 1; a released step is never changed."""


def check_current(path: Path) -> None:
    """Refuse a file that cannot be read without making or changing it.

    Raises:
        NotRunningError: it does not exist, has another version, or is not a database.
    """
    version = read_version(path)
    if version is None:
        raise NotRunningError(f"The database {path} does not exist, and a read-only server does not make one.")
    _refuse_newer(path, version)
    if version < len(STEPS):
        message = f"The database {path} is of version {version}: it must be upgraded to {len(STEPS)}, which "
        raise NotRunningError(f"{message}a read-only server does not do. Start a server that may write, once.")


def _refuse_newer(path: Path, version: int) -> None:
    if version > len(STEPS):
        message = f"The database {path} is of version {version}, made by a newer pieces_orm; this one knows "
        raise NotRunningError(f"{message}versions up to {len(STEPS)}. Install the newer one, or name another file.")


def back_up(path: Path, version: int | None) -> Path | None:
    """Copy a file before it is upgraded; returns the copy, or None when the file is current or new.

    Raises:
        NotRunningError: the file has a newer version, or cannot be copied.
    """
    if version is None or version == len(STEPS):
        return None
    _refuse_newer(path, version)
    target = _copy_name(path, version)
    try:
        copy(path, target)
    except (OSError, sqlite3.Error) as error:
        message = f"The database {path} must be upgraded, and cannot be copied to {target} first: {error}. "
        raise NotRunningError(f"{message}It was not touched.") from error
    return target


def _copy_name(path: Path, version: int) -> Path:
    name = f"{path.name}.version-{version}.{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}"
    number = 0
    while (target := path.with_name(name + (f".{number}" if number else ""))).exists():
        number += 1
    return target


def upgrade(connection: Connection, version: int | None) -> None:
    """Bring a database to the current version within the caller's transaction; a new one is only marked."""
    if version == len(STEPS):
        return
    for step in (_mark,) if version is None else STEPS[version:]:
        step(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {len(STEPS)}")
