"""Live lists: sorted entities that stay in step with the server, with events by index, as a list widget needs them."""

from __future__ import annotations

import logging
import sys
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from ..concurrency.forking import fork_safe
from ..errors import InvalidValueError
from ..model.state import State
from ..orm.context import Context
from ..orm.entity import Entity
from ..signals import Signal, deliver
from .watch import feeds_of

_log = logging.getLogger("pieces_orm.sync.live")

E = TypeVar("E", bound=Entity)
# Values that cannot be compared with None are sorted after those that have one; the id decides between equals.
SortKey = tuple[bool, Any, str]


class Live(Sequence[E], Generic[E]):
    """The entities of one kind that satisfy a condition, sorted, kept in step with the server while this is open.

    Its signals (the sender is this list; each is emitted after the change, in the order of the changes):
        inserted(index, entity)
        removed(index, entity)
        moved(index, before, entity): taken from the index `before`, then put in at `index`
        changed(index, entity): it stays where it is, and something of it is different

    Entities are held strongly for as long as this is open.

    Args:
        context: of the session, which watches the kind from here on.
        cls: of the entities.
        read: reads all entities of the kind.
        key: of an entity, what it is sorted by; None values come last.
        where: of an entity, whether it is in the list; None: all are.
        reverse: whether the greatest comes first.
    """

    def __init__(
        self,
        context: Context,
        cls: type[E],
        read: Callable[[], list[E]],
        *,
        key: Callable[[E], Any],
        where: Callable[[E], bool] | None,
        reverse: bool,
    ) -> None:
        self.inserted, self.removed = Signal("inserted", "index", "entity"), Signal("removed", "index", "entity")
        self.moved, self.changed = Signal("moved", "index", "before", "entity"), Signal("changed", "index", "entity")
        self._context = context
        self._class = cls
        self._key, self._where, self._reverse = key, where, reverse
        self._lock = fork_safe(threading.RLock())
        self._order: list[SortKey] = []
        self._keys: dict[str, SortKey] = {}
        self._entities: dict[str, E] = {}
        # Entities that `where` leaves out: held too, so that their changes are reported with the changed fields.
        self._others: dict[str, E] = {}
        # One thread at a time places and emits, so that the last word on an entity is the latest, and events in order.
        self._reported: deque[E] = deque()
        self._working = threading.Lock()
        self._open = True
        self._watch = feeds_of(context).watch([cls], every=False)
        context.close_with_session(self)
        try:
            with self._working:
                self._connect()
                # Changes before the stream is live may be missed: then all are read once more.
                feeds_of(context).before_live(cls, lambda: self._catch_up(read))
                for entity in read():
                    self._place(entity)
        except BaseException:
            self.close()
            raise
        self._work()

    def _catch_up(self, read: Callable[[], list[E]]) -> None:
        if self._open:
            self._reported.extend(read())
            while self._reported:
                with self._working:
                    pass  # whoever is placing may place these too
                self._work()

    def _connect(self) -> None:
        signals = self._context.signals
        for signal in (signals.created, signals.changed, signals.deleted, self._context.reverted):
            signal.connect(self._receive, sender=self._class)
        for signal in (signals.associated, signals.disassociated):
            signal.connect(self._related)

    # Sequence protocol ----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> E: ...
    @overload
    def __getitem__(self, index: slice) -> list[E]: ...
    def __getitem__(self, index: int | slice) -> E | list[E]:
        with self._lock:
            if isinstance(index, slice):
                return self.snapshot()[index]
            if not -len(self._order) <= index < len(self._order):
                message = f"there is no index {index} in {self!r}"
                raise IndexError(message)
            return self._entities[self._order[-1 - index if self._reverse else index][-1]]

    def __iter__(self) -> Iterator[E]:
        return iter(self.snapshot())

    def __contains__(self, entity: object) -> bool:
        return isinstance(entity, Entity) and self._entities.get(entity.id) is entity

    def __repr__(self) -> str:
        return f"<live list of {len(self)} {self._class._schema.kind.collection}{'' if self._open else ' (closed)'}>"

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the index of an entity.

        Raises:
            InvalidValueError: it is not in the list.
        """
        with self._lock:
            if value in self:
                found = self._at(self._keys[value.id])
                if start <= found and (stop is None or found < stop):
                    return found
        message = f"{value!r} is not in {self!r}; ask with `in` before."
        raise InvalidValueError(message)

    def snapshot(self) -> list[E]:
        """Return the list as it is at this moment; it does not change any more."""
        with self._lock:
            entities = [self._entities[key[-1]] for key in self._order]
        return entities[::-1] if self._reverse else entities

    def wait_live(self, timeout: float = 10) -> Live[E]:
        """Wait until the stream is live. Raises RequestTimeout when it is not by then."""
        self._watch.wait_live(timeout)
        return self

    def close(self) -> None:
        """Stop following; the list stays as it is."""
        if self._open and not sys.is_finalizing():
            self._open = False
            signals = self._context.signals
            for signal in (signals.created, signals.changed, signals.deleted, self._context.reverted):
                signal.disconnect(self._receive, sender=self._class)
            for signal in (signals.associated, signals.disassociated):
                signal.disconnect(self._related)
            self._watch.close()
            self._context.was_closed(self)

    def __enter__(self) -> Live[E]:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # In step ---------------------------------------------------------------------------------------------------------

    def _receive(self, _: Any, *, entity: E, **__: Any) -> None:
        self._reported.append(entity)
        self._work()

    def _related(self, _: Any, *, entity: Entity, other: Entity, **__: Any) -> None:
        # A key or condition may look at relations, and an association is emitted once, from one of its sides.
        for each in (entity, other):
            if isinstance(each, self._class) and (each.id in self._entities or each.id in self._others):
                self._reported.append(each)
        self._work()

    def _work(self) -> None:
        """Place the reported entities and emit, on whichever thread comes by."""
        while self._reported and self._working.acquire(blocking=False):
            try:
                # Another thread may have taken the last one meanwhile.
                if self._reported:
                    self._follow(self._reported.popleft())
            finally:
                self._working.release()

    def _follow(self, entity: E) -> None:
        try:
            signal, about = self._place(entity)
        except Exception:  # noqa: BLE001 a key or condition of the caller's; the other entities are placed all the same
            _log.exception("%r cannot place %r; it stays as it was until it changes again.", self, entity)
            with self._lock:
                if self._open and entity.id not in self._entities:
                    self._others[entity.id] = entity  # held, so that its next change is reported
            return
        if signal is not None:
            for receiver in signal.receivers_for(self):
                deliver(receiver, self, {**about, "entity": entity})

    def _place(self, entity: E) -> tuple[Signal | None, dict[str, int]]:
        """Put an entity where it belongs now; what raises on the way leaves the list as it was."""
        gone = entity.state in (State.DELETED, State.DETACHED)
        # Outside the lock: a key or condition of the caller's may read what is not loaded.
        wanted = not gone and (self._where is None or bool(self._where(entity)))
        value = self._key(entity) if wanted else None
        if value != value:  # noqa: PLR0124 a number that is none has no place among the others
            value = None
        key: SortKey = ((value is None) is not self._reverse, value, entity.id)
        with self._lock:
            if not self._open:
                return None, {}
            bisect_left(self._order, key)  # raises here, if at all, when the key cannot be compared with the others
            self._others.pop(entity.id, None)
            if not gone and not wanted:
                self._others[entity.id] = entity
            old = self._keys.get(entity.id)
            before = None if old is None else self._take(old)
            if not wanted:
                return (None, {}) if before is None else (self.removed, {"index": before})
            self._put(entity, key)
            index = self._at(key)
        if before is None:
            return self.inserted, {"index": index}
        return (self.changed, {"index": index}) if before == index else (self.moved, {"index": index, "before": before})

    def _put(self, entity: E, key: SortKey) -> None:
        self._order.insert(bisect_left(self._order, key), key)
        self._keys[entity.id] = key
        self._entities[entity.id] = entity

    def _take(self, key: SortKey) -> int:
        index = self._at(key)
        del self._order[bisect_left(self._order, key)], self._keys[key[-1]], self._entities[key[-1]]
        return index

    def _at(self, key: SortKey) -> int:
        position = bisect_left(self._order, key)
        return len(self._order) - 1 - position if self._reverse else position
