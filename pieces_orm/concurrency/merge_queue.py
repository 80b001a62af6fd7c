"""What waits for somebody who is slower than the news: in order, and never more than there are things to tell of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

# So many wait as they are; beyond that, those about the same thing are merged.
LIMIT = 1_000


class Backlog(Generic[T]):
    """A queue that merges items about the same thing once more than `limit` of them wait.

    Args:
        merge: of an item that waits and a later one about the same thing, what is left to tell.
        limit: how many items wait unmerged.
    """

    def __init__(self, merge: Callable[[T, T], T], limit: int = LIMIT) -> None:
        self._merge = merge
        self._limit = limit
        self._items: dict[int, tuple[Hashable, T]] = {}
        self._last: dict[Hashable, int] = {}
        self._count = 0
        self._closed = False
        self._news = threading.Condition()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: Hashable, item: T) -> int | None:
        """Add an item about a thing; its number, or None when it was merged into one that waits."""
        with self._news:
            waiting = self._last.get(key)
            if waiting is not None and len(self._items) >= self._limit:
                self._items[waiting] = (key, self._merge(self._items[waiting][1], item))
                return None
            self._count += 1
            self._items[self._count] = (key, item)
            self._last[key] = self._count
            self._news.notify()
            return self._count

    def take(self, *, wait: bool = False) -> T | None:
        """The oldest item; None when there is none, with `wait` when there will be none any more."""
        with self._news:
            while wait and not self._items and not self._closed:
                self._news.wait()
            return self._remove(next(iter(self._items))) if self._items else None

    def discard(self, number: int) -> None:
        """Take an item back, if it still waits."""
        with self._news:
            if number in self._items:
                self._remove(number)

    def _remove(self, number: int) -> T:
        key, item = self._items.pop(number)
        if self._last.get(key) == number:
            del self._last[key]
        return item

    def close(self) -> None:
        """Let nobody wait any more; what waits can still be taken."""
        with self._news:
            self._closed = True
            self._news.notify_all()
