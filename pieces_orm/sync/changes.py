"""Watching: the feeds of a session, what keeps them open, and changes as an iterator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..concurrency.merge_queue import Backlog
from ..orm.entity import Entity
from ..signals import Told
from .watch import Watch

if TYPE_CHECKING:
    from ..session import Session


@frozen
class Change:
    """One change: of which kind and id, what was done, by whom, and for `changed` which fields held what before."""

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

    _OPERATIONS = ("created", "changed", "deleted", "associated", "disassociated")

    def __init__(self, session: Session, classes: tuple[type[Entity], ...], watch: Watch) -> None:
        self._session = session
        self._watch = watch
        self._backlog: Backlog[Told] = Backlog(Told.followed_by)
        self._closed = False
        self._receivers: list[tuple[Any, Callable[..., None]]] = []
        for operation in self._OPERATIONS:
            signal, receiver = getattr(session.signals, operation), self._receiver(operation)
            self._receivers.append((signal, receiver))
            for cls in classes:
                signal.connect(receiver, sender=cls, weak=False)

    def _receiver(self, operation: str) -> Callable[..., None]:
        def receive(sender: Any, **about: Any) -> None:
            told = Told(operation, sender, about)
            self._backlog.put(told.key, told)

        return receive

    def __next__(self) -> Change:
        told = self._backlog.take(wait=True)
        if told is None:
            raise StopIteration
        about = told.about
        entity = about["entity"]
        return Change(
            kind=entity.kind.name, id=entity.id, entity=entity, operation=told.signal, origin=about["origin"],
            fields=about.get("fields"), before=about.get("before", {}), relation=about.get("relation"),
            other=about.get("other"),
        )  # fmt: skip

    def wait_live(self, timeout: float = 10) -> Changes:
        """Wait until the streams are live. Raises RequestTimeout when they are not by then."""
        self._watch.wait_live(timeout)
        return self

    def close(self) -> None:
        """End the iteration, after what was heard before."""
        if not self._closed:
            self._closed = True
            for signal, receiver in self._receivers:
                signal.disconnect(receiver)
            self._watch.close()
            self._session.forget(self)
            self._backlog.close()

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
