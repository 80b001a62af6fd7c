"""The way of changes from commits to streams: each stream has its own pending changes, one per id."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..storage.writer import Changes, Operation


class Subscription:
    """The changes that one stream has not sent yet: at most one per id, and a deletion outranks the rest.

    Args:
        max_pending: beyond so many pending ids the subscription drops them all and is `overrun`.
    """

    def __init__(self, kinds: frozenset[str], max_pending: int) -> None:
        self.kinds = kinds
        self.overrun = False
        self.closed = False
        self._max_pending = max_pending
        self._pending: dict[tuple[str, str], Operation] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def offer(self, changes: Changes) -> None:
        """Add the changes of a commit, on the writer's thread; never waits for the stream."""
        wanted = {key: operation for key, operation in changes.items() if key[0] in self.kinds}
        if not wanted:
            return
        with self._lock:
            for key, operation in wanted.items():
                if self._pending.get(key) != "delete":
                    self._pending[key] = operation
            if len(self._pending) > self._max_pending:
                self._pending.clear()
                self.overrun = True
        self._wake()

    def close(self) -> None:
        """End the stream, from any thread."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:  # the loop is closed, and the stream with it
            self.closed = True

    async def take(self) -> dict[tuple[str, str], Operation]:
        """Wait for changes, or for the end, and take what is pending."""
        await self._changed.wait()
        self._changed.clear()
        with self._lock:
            taken, self._pending = self._pending, {}
        return taken


class ChangeHub:
    """Hands each commit's changes to all streams."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._lock = threading.Lock()
        self._open = True

    def open(self) -> None:
        """Allow streams, after a start."""
        self._open = True

    def close(self) -> None:
        """Close every stream, and those that still open, because the server stops."""
        self._open = False
        self.close_streams()

    def close_streams(self) -> None:
        """Close every stream that is open now."""
        for subscription in self._snapshot():
            subscription.close()

    def publish(self, changes: Changes) -> None:
        """Offer changes to every stream; called in the order of commits."""
        for subscription in self._snapshot():
            subscription.offer(changes)

    def _snapshot(self) -> list[Subscription]:
        with self._lock:
            return list(self._subscriptions)

    @contextmanager
    def subscribe(self, kinds: frozenset[str], max_pending: int) -> Iterator[Subscription]:
        """Subscribe to kinds for as long as the block runs."""
        subscription = Subscription(kinds, max_pending)
        with self._lock:
            self._subscriptions.add(subscription)
        if not self._open:
            subscription.close()
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)
