"""The second session of the demo: it watches, and writes down what it hears."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from attrs import frozen

from ...entities import Anchor, Asset, Tag, Website, WorkstreamSummary
from ...orm.entity import Entity
from ...session import Session
from ..terminal import shown
from .created import label

WATCHED: tuple[type[Entity], ...] = (Asset, Anchor, Website, Tag, WorkstreamSummary)
LIVE_WITHIN = 15.0  # seconds


@frozen
class Heard:
    """One thing that was heard: of which material, as it was called then, and of which other one."""

    operation: str
    entity: Entity
    called: str
    other: Entity | None = None
    field: str = ""
    detail: str = ""

    @property
    def line(self) -> str:
        """It as a line to show; made late, because what is a mere id at first may have a name by then."""
        called = label(self.entity) if self.called == self.entity.id else self.called
        line = f"{self.operation} {self.entity._schema.kind.name} {called}{self.detail}"
        if self.other is None:
            return line
        word = "with" if self.operation == "associated" else "from"
        return f"{line} {word} {self.other._schema.kind.name} {label(self.other)}"


class Listener:
    """What one session hears from others; a context manager that watches as long as it is open."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watch = session.watch(*WATCHED)
        self._news = threading.Condition()
        self._heard: list[Heard] = []
        # Who holds an entity learns which fields of it change; the map of a session is weak.
        self._held: dict[str, Entity] = {}
        signals = session.signals
        for signal, receiver in (
            (signals.created, self._created),
            (signals.changed, self._changed),
            (signals.deleted, self._deleted),
            (signals.associated, self._associated),
            (signals.disassociated, self._disassociated),
        ):
            # Bound methods die with the listener, and no earlier: it is held for as long as it listens.
            signal.connect(receiver)

    def __enter__(self) -> Listener:
        try:
            self._watch.wait_live(LIVE_WITHIN)
        except BaseException:
            self._watch.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.close()

    def wait(self, operation: str, ids: Iterable[str], seconds: float, *, field: str = "") -> int:
        """Wait until an operation was heard of all these materials; returns of how many it was.

        Args:
            operation: such as "deleted".
            ids: of materials.
            seconds: how long to wait at most.
            field: the field that has to have changed; none: any.
        """
        wanted = set(ids)
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                told = [each for each in self._heard if each.operation == operation and field in ("", each.field)]
                heard = wanted.intersection(each.entity.id for each in told)
                remaining = deadline - time.monotonic()
                if heard == wanted or remaining <= 0:
                    return len(heard)
                # In short stretches, because a wait must not keep a second Ctrl-C from getting through.
                self._news.wait(min(remaining, 0.25))

    def about(self, ids: Iterable[str]) -> list[Heard]:
        """What was heard of these materials, in order; what others do on the same server is left out."""
        wanted = set(ids)
        with self._news:
            return [each for each in self._heard if each.entity.id in wanted]

    def totals(self, ids: Iterable[str]) -> Counter[str]:
        """How often each operation was heard of these materials."""
        return Counter(each.operation for each in self.about(ids))

    def _note(self, heard: Heard) -> None:
        with self._news:
            self._held[heard.entity.id] = heard.entity
            self._heard.append(heard)
            self._news.notify_all()

    def _created(self, _: Any, *, entity: Entity, **__: Any) -> None:
        self._note(Heard("created", entity, label(entity)))

    def _changed(
        self, _: Any, *, entity: Entity, fields: frozenset[str] | None, before: dict[str, Any], **__: Any
    ) -> None:
        called, field, detail = label(entity), "", ""
        if fields is not None and "name" in fields:
            called, field, detail = shown(repr(before["name"])), "name", f" name -> {called}"
        self._note(Heard("changed", entity, called, field=field, detail=detail))

    def _deleted(self, _: Any, *, entity: Entity, **__: Any) -> None:
        self._note(Heard("deleted", entity, label(entity)))

    def _associated(self, _: Any, *, entity: Entity, other: Entity, **__: Any) -> None:
        self._note(Heard("associated", entity, label(entity), other))

    def _disassociated(self, _: Any, *, entity: Entity, other: Entity, **__: Any) -> None:
        self._note(Heard("disassociated", entity, label(entity), other))
