"""Locks that a forked child can use: a thread that held one in the parent does not exist in the child to release it."""

from __future__ import annotations

import os
from typing import Any, TypeVar
from weakref import WeakSet

L = TypeVar("L")

_locks: WeakSet[Any] = WeakSet()


def fork_safe(lock: L) -> L:
    """Return a lock, condition or event that a forked child finds free, whichever thread of its parent held it."""
    _locks.add(lock)
    return lock


def _free_all() -> None:
    for lock in list(_locks):
        # The forking thread goes on in the child, and releases what it holds itself.
        if not getattr(lock, "_is_owned", bool)():
            lock._at_fork_reinit()  # noqa: SLF001 as the standard library frees its own locks


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_all)
