"""From commits to streams: every subscriber has its own pending changes, one per id."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..storage.writer import Changes, Operation


class Subscription:
    """What one stream has not sent yet: at most one entry per id, deletion wins."""

    def __init__(self, kinds: frozenset[str], backlog: int) -> None:
        self.kinds = kinds
        self.overrun = False
        self.closed = False
        self._backlog = backlog
        self._pending: dict[tuple[str, str], Operation] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def offer(self, changes: Changes) -> None:
        """Take changes of a commit, on the writer's thread; never waits for the stream."""
        wanted = {key: operation for key, operation in changes.items() if key[0] in self.kinds}
        if not wanted:
            return
        with self._lock:
            for key, operation in wanted.items():
                if self._pending.get(key) != "delete":
                    self._pending[key] = operation
            if len(self._pending) > self._backlog:
                self._pending.clear()
                self.overrun = True
        self._wake()

    def close(self) -> None:
        """End the stream, from any thread."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop is closed, and the stream with it
            self.closed = True

    async def take(self) -> dict[tuple[str, str], Operation]:
        """Wait for changes and take them all."""
        await self._news.wait()
        self._news.clear()
        with self._lock:
            taken, self._pending = self._pending, {}
        return taken


class Hub:
    """Hands each commit's changes to all streams."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._lock = threading.Lock()
        self._ended = False

    def begin(self) -> None:
        """Let there be streams."""
        self._ended = False

    def end(self) -> None:
        """End every stream, and those that still open: the server stops."""
        self._ended = True
        self.drop()

    def publish(self, changes: Changes) -> None:
        """Tell every subscriber; called in the order of commits."""
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.offer(changes)

    @contextmanager
    def subscribe(self, kinds: frozenset[str], backlog: int) -> Iterator[Subscription]:
        """A subscription to kinds, for as long as the block runs."""
        subscription = Subscription(kinds, backlog)
        with self._lock:
            self._subscriptions.add(subscription)
        if self._ended:
            subscription.close()
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def drop(self) -> None:
        """End every open stream."""
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
