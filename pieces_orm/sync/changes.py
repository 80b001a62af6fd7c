"""Changes as an iterator, for scripts that prefer a loop to a callback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from ..concurrency.forgotten import close_when_forgotten
from ..concurrency.merge_queue import MergeQueue
from ..orm.context import Context
from ..orm.entity import Entity
from ..signals import SignalEvent
from .watch import Watch


@frozen
class Change:
    """One change: kind and id, the operation, its origin, and for `changed` the fields with their previous values."""

    kind: str
    id: str
    entity: Entity
    operation: str
    fields: frozenset[str] | None
    before: dict[str, Any]
    origin: str
    relation: str | None = None
    other: Entity | None = None


class Changes(Iterator[Change]):
    """An endless iterator of changes, for scripts that prefer a loop; `close()` ends it, as does the session's.

    A loop that is slower than the changes misses none of them until a thousand wait; from then on those about the same
    material are merged into one, which tells the final state.
    """

    def __init__(self, context: Context, classes: tuple[type[Entity], ...], watch: Watch) -> None:
        self._context = context
        self._watch = watch
        self._subscription = _Subscription(context, classes, watch)
        close_when_forgotten(self, self._subscription.close)

    def __next__(self) -> Change:
        event = self._subscription.queue.take(wait=True)
        if event is None:
            self._context.connection.check_inherited()
            raise StopIteration
        about = event.about
        entity = about["entity"]
        return Change(
            kind=entity._schema.kind.name, id=entity.id, entity=entity, operation=event.signal, origin=about["origin"],
            fields=about.get("fields"), before=about.get("before", {}), relation=about.get("relation"),
            other=about.get("other"),
        )  # fmt: skip

    def wait_live(self, timeout: float = 10) -> Changes:
        """Wait until the streams are live. Raises RequestTimeout when they are not by then."""
        self._watch.wait_live(timeout)
        return self

    def close(self) -> None:
        """End the iteration, after the changes that were received before."""
        self._subscription.close()

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Subscription:
    """The receivers and the queue of one iterator, which does not live longer than its holder because of them."""

    _OPERATIONS = ("created", "changed", "deleted", "associated", "disassociated")

    def __init__(self, context: Context, classes: tuple[type[Entity], ...], watch: Watch) -> None:
        self.queue: MergeQueue[SignalEvent] = MergeQueue(SignalEvent.followed_by)
        self._context = context
        self._watch = watch
        self._closed = False
        self._receivers: list[tuple[Any, Callable[..., None]]] = []
        for operation in self._OPERATIONS:
            signal, receiver = getattr(context.signals, operation), self._receiver(operation)
            self._receivers.append((signal, receiver))
            for cls in classes:
                signal.connect(receiver, sender=cls, weak=False)
        context.close_with_session(self)

    def _receiver(self, operation: str) -> Callable[..., None]:
        def receive(sender: Any, **about: Any) -> None:
            event = SignalEvent(operation, sender, about)
            self.queue.put(event.key, event)

        return receive

    def close(self) -> None:
        if self._closed or sys.is_finalizing():
            return
        self._closed = True
        for signal, receiver in self._receivers:
            signal.disconnect(receiver)
        self._receivers.clear()  # they refer to this object, which is freed without the garbage collector
        self._watch.close()
        self._context.was_closed(self)
        self.queue.close()
