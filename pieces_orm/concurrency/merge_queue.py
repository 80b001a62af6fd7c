"""A FIFO queue for slow consumers: beyond a limit, items with the same key are merged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from .forking import fork_safe

T = TypeVar("T")

# The number of waiting items from which on those with the same key are merged.
MERGE_FROM_ITEMS = 1_000


class MergeQueue(Generic[T]):
    """A FIFO queue that merges items with the same key while `limit` or more items wait.

    So its length is bounded by the limit and the number of keys.

    Args:
        merge: called with a waiting item and a later one with the same key; returns the item that replaces both.
        limit: the number of waiting items from which on items are merged.
    """

    def __init__(self, merge: Callable[[T, T], T], limit: int = MERGE_FROM_ITEMS) -> None:
        self._merge = merge
        self._limit = limit
        self._items: dict[int, tuple[Hashable, T]] = {}
        self._last: dict[Hashable, int] = {}
        self._count = 0
        self._closed = False
        self._changed = fork_safe(threading.Condition())

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: Hashable, item: T) -> int | None:
        """Add an item; return its number, or None when it was merged into a waiting one."""
        with self._changed:
            waiting = self._last.get(key)
            if waiting is not None and len(self._items) >= self._limit:
                self._items[waiting] = (key, self._merge(self._items[waiting][1], item))
                return None
            self._count += 1
            self._items[self._count] = (key, item)
            self._last[key] = self._count
            self._changed.notify()
            return self._count

    def take(self, *, wait: bool = False) -> T | None:
        """Remove and return the oldest item; None when there is none, with `wait` only after `close()`."""
        with self._changed:
            while wait and not self._items and not self._closed:
                self._changed.wait()
            return self._remove(next(iter(self._items))) if self._items else None

    def discard(self, number: int) -> None:
        """Remove an item by its number, if it still waits."""
        with self._changed:
            if number in self._items:
                self._remove(number)

    def _remove(self, number: int) -> T:
        key, item = self._items.pop(number)
        if self._last.get(key) == number:
            del self._last[key]
        return item

    def close(self) -> None:
        """Wake up waiting consumers and let none wait again; items that wait can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
