"""Delivery of changes from commits to streams; each stream has its own pending changes, one per id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..storage.writer import Changes, Operation


class Subscription:
    """The changes that one stream has not sent yet: at most one per id, and a deletion outranks the rest.

    Its state is touched on the event loop only, on which it is made.

    Args:
        max_pending: beyond so many pending ids the subscription drops them all and is `overrun`.
    """

    def __init__(self, kinds: frozenset[str], max_pending: int) -> None:
        self.kinds = kinds
        self.overrun = False
        self.closed = False
        self._max_pending = max_pending
        self._pending: dict[tuple[str, str], Operation] = {}
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def offer(self, changes: Changes) -> None:
        """Add the changes of a commit, from any thread; never waits for the stream."""
        wanted = {key: operation for key, operation in changes.items() if key[0] in self.kinds}
        if wanted:
            self._call(lambda: self._add(wanted))

    def close(self) -> None:
        """End the stream, from any thread."""
        self._call(self._close)

    def _call(self, function: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed, and the stream with it
            self._loop.call_soon_threadsafe(function)

    def _add(self, changes: Changes) -> None:
        for key, operation in changes.items():
            if self._pending.get(key) != "delete":
                self._pending[key] = operation
        if len(self._pending) > self._max_pending:
            self._pending.clear()
            self.overrun = True
        self._changed.set()

    def _close(self) -> None:
        self.closed = True
        self._changed.set()

    async def take(self) -> Changes:
        """Wait for changes and take them all; none means that the subscription is closed or overrun."""
        while not (self._pending or self.closed or self.overrun):
            self._changed.clear()
            await self._changed.wait()
        taken, self._pending = self._pending, {}
        return {} if self.closed or self.overrun else taken


class ChangeHub:
    """Hands each commit's changes to all streams."""

    def __init__(self) -> None:
        # Replaced, never changed: other threads read it without a lock. Streams come and go on the event loop.
        self._subscriptions: tuple[Subscription, ...] = ()
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
        for subscription in self._subscriptions:
            subscription.close()

    def is_watched(self, kind: str) -> bool:
        """Tell whether a stream of a kind is open."""
        return any(kind in subscription.kinds for subscription in self._subscriptions)

    def publish(self, changes: Changes) -> None:
        """Offer changes to every stream; called in the order of commits."""
        for subscription in self._subscriptions:
            subscription.offer(changes)

    @contextmanager
    def subscribe(self, kinds: frozenset[str], max_pending: int) -> Iterator[Subscription]:
        """Subscribe to kinds for as long as the block runs."""
        subscription = Subscription(kinds, max_pending)
        self._subscriptions += (subscription,)
        if not self._open:
            subscription.close()
        try:
            yield subscription
        finally:
            self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)
