"""From ids that were heard of to applied changes and signals: each change is told once, our own echoes not at all."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import attrs
from attrs import frozen

from .entity import Entity
from .errors import NotFoundError, PiecesError
from .knowledge import State

if TYPE_CHECKING:
    from .session import Session

_log = logging.getLogger("pieces_orm.feed")

# Seconds without further news of an id before it is fetched, and how long a busy one is put off at most.
QUIET = 0.025
PUT_OFF = 0.25
# Echoes of our own writes that are waited for; older ones are taken for lost.
ECHOES = 10_000

# What is known of an id that was heard of; of two, the greater counts.
UPDATED, VANISHED, DELETED = 0, 1, 2


@attrs.define
class _Heard:
    what: int
    first: float
    last: float


class Pending:
    """Ids that were heard of and are to be fetched: one entry an id, however often it is named."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}

    def __bool__(self) -> bool:
        return bool(self._heard)

    def note(self, id: str, what: int) -> None:
        """Note what was heard of an id; of two, the greater counts."""
        now = time.monotonic()
        heard = self._heard.setdefault(id, _Heard(what, now, now))
        heard.what, heard.last = max(what, heard.what), now

    def take(self) -> dict[str, int]:
        """Those that are not just being changed again; an id that never rests is put off only so long."""
        now = time.monotonic()
        due = {
            id: heard.what
            for id, heard in self._heard.items()
            if now - heard.last >= QUIET * 0.8 or now - heard.first >= PUT_OFF
        }
        for id in due:
            del self._heard[id]
        return due


@frozen
class _Deferred:
    """Something heard of a material that we are writing ourselves: it waits for the answer to that."""

    id: str
    what: int
    writes: frozenset[int]


class Teller:
    """What one session knows of the ids of one kind, and tells of them."""

    def __init__(self, session: Session, cls: type[Entity]) -> None:
        # All ids, each with the `updated` that was told or written last, where that is known.
        self.known: dict[str, bytes | None] | None = None
        self._session = session
        self._cls = cls
        self._kind = cls.kind
        self._deferred: list[_Deferred] = []
        # Our own writes whose echo is to come, and whose answer did not say what `updated` is now.
        self._own: dict[str, None] = {}
        self._lock = threading.Lock()

    def wrote(self, id: str, updated: bytes | None, *, deleted: bool) -> None:
        """Note a write of our own, so that its echo is not taken for another's."""
        with self._lock:
            if self.known is None:
                return
            self._own.pop(id, None)
            if deleted:
                self.known.pop(id, None)
                return
            self.known[id] = updated or self.known.get(id)
            if updated is None:
                self._own[id] = None
                if len(self._own) > ECHOES:
                    del self._own[next(iter(self._own))]

    @property
    def defers(self) -> bool:
        """Whether something waits for an answer to a write of our own."""
        return bool(self._deferred)

    def deferred(self) -> dict[str, int]:
        """What waits no longer, now that the writes have been answered."""
        still = [each for each in self._deferred if not self._session.map.are_written(each.writes)]
        ready = {each.id: each.what for each in self._deferred if each not in still}
        self._deferred = still
        return ready

    def compare(self, now: set[str], *, recovering: bool) -> dict[str, int]:
        """What follows from a list of all ids: what is new, what has vanished, what may have changed unheard."""
        with self._lock:
            if self.known is None:
                self.known = dict.fromkeys(now)
                return {}
            known = self.known.keys()
            news = dict.fromkeys(now - known, UPDATED) | dict.fromkeys(known - now, VANISHED)
        if recovering:
            held = self._session.map.alive(self._cls)
            news |= {each.id: UPDATED for each in held if each.state is State.LOADED and each.id in now}
        return news

    def process(self, batch: dict[str, int]) -> dict[str, int]:
        """Fetch, apply and tell; returns what has to be tried again."""
        ready = self._not_ours(batch)
        try:
            gone = self._confirmed({id for id, what in ready.items() if what == VANISHED})
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return ready
        for id, what in ready.items():
            if what == DELETED or id in gone:
                self._tell_deleted(id)
        updated = [id for id, what in ready.items() if what == UPDATED]
        wanted = [id for id in updated if self._is_wanted(id)]
        for id in set(updated).difference(wanted):
            self._learn(id)
        return dict.fromkeys(self._tell_updated(wanted), UPDATED)

    def _not_ours(self, batch: dict[str, int]) -> dict[str, int]:
        """What nobody here is writing at this moment; the rest is deferred."""
        ready: dict[str, int] = {}
        for id, what in batch.items():
            writes = self._session.map.writes_of(self._kind, id)
            if not self._is_known(id):
                # It may be what a create of ours is making.
                writes |= self._session.map.writes_of(self._kind, None)
            if writes:
                self._deferred.append(_Deferred(id, what, writes))
            else:
                ready[id] = what
        return ready

    def _is_known(self, id: str) -> bool:
        return self.known is not None and id in self.known

    def _learn(self, id: str, updated: bytes | None = None) -> None:
        with self._lock:
            if self.known is not None:
                self.known[id] = updated or self.known.get(id)

    def _confirmed(self, vanished: set[str]) -> set[str]:
        """Those of the vanished that the server does not list when it is asked once more."""
        return vanished.difference(self._session.ids_of(self._cls, {})) if vanished else set()

    def _is_wanted(self, id: str) -> bool:
        """Whether somebody holds the entity, or listens to the kind."""
        entity = self._session.map.peek(self._cls, id)
        if entity is not None and entity.state is not State.HANDLE:
            return True
        signals = self._session.signals
        signal = signals.changed if self._is_known(id) else signals.created
        return bool(signal.has_receivers_for(self._cls))

    def _tell_updated(self, ids: list[str]) -> list[str]:
        """Read and tell; returns the ids that could not be read."""
        if not ids:
            return []
        held = {id: entity for id in ids if (entity := self._session.map.peek(self._cls, id)) is not None}
        try:
            fetched = self._session.fetch(self._cls, ids, "remote")
        except PiecesError as error:
            _log.info("Changes of %s could not be read: %s", self._kind.collection, error)
            return ids
        failed: list[str] = []
        for id in ids:
            entity = fetched.get(id)
            if isinstance(entity, NotFoundError):
                self._tell_deleted(id, held.get(id))
            elif isinstance(entity, Entity):
                self._tell_one(entity, is_held=id in held)
            else:
                _log.info("%s %s could not be read: %s", self._kind.name, id, entity)
                failed.append(id)
        return failed

    def _tell_one(self, entity: Entity, *, is_held: bool) -> None:
        updated = None if entity.document is None else entity.document.get("updated")
        stamp = None if updated is None else bytes(updated)
        with self._lock:
            is_new = not self._is_known(entity.id)
            is_told = entity.id in self._own or (stamp is not None and (self.known or {}).get(entity.id) == stamp)
            self._own.pop(entity.id, None)
        self._learn(entity.id, stamp)
        signals = self._session.signals
        if is_new:
            signals.tell(signals.created, self._cls, entity=entity, origin="remote")
        elif not is_held and not is_told:
            # Nobody held it: that it changed is certain, what changed cannot be known.
            signals.tell(signals.changed, self._cls, entity=entity, fields=None, before={}, origin="remote")

    def _tell_deleted(self, id: str, read: Entity | None = None) -> None:
        """Tell a deletion, unless the read that found it has told it of an entity that was held."""
        with self._lock:
            was_known = self._is_known(id)
            if self.known is not None:
                self.known.pop(id, None)
            self._own.pop(id, None)
        signals = self._session.signals
        if read is not None and read.state is State.DELETED and read.document is not None:
            return
        entity = self._session.map.peek(self._cls, id)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self._cls)):
            return
        entity = entity or self._session.map.ref(self._cls, id)
        # A mere handle of an id that was never heard of, or is told already, goes silently.
        news = was_known or entity.document is not None
        if self._session.map.remove(entity) and news:
            signals.tell(signals.deleted, self._cls, entity=entity, origin="remote")
