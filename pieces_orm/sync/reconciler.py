"""Fetch the ids that a stream reported, apply them, emit each change once, and suppress echoes of own writes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from attrs import frozen

from ..errors import NotAuthorizedError, NotFoundError, PiecesError, StateError, TransportError
from ..model.record import Record
from ..model.state import EXPIRED, HANDLE, LOADED
from ..orm import loading, reading, state_changes
from ..orm.context import Context
from ..orm.entity import Entity
from .pending import DELETED, SURVIVED, UPDATED, VANISHED

_log = logging.getLogger("pieces_orm.sync.feed")
# Echoes waited for at most; older ones are taken for lost.
MAX_ECHOES = 10_000
# From so many ids of a kind on, all others of it are read with them in one request.
BULK_THRESHOLD = 200


@frozen
class _Deferred:
    """A report of a material that this session is writing: it waits for the answer to that."""

    id: str
    report: int
    writes: frozenset[int]


class Reconciler:
    """The known ids of one kind, and the way from reports of them to applied changes and signals."""

    def __init__(self, context: Context, cls: type[Entity]) -> None:
        # All ids, each with the `updated` that was emitted or written last, where that is known.
        self.known: dict[str, bytes | None] | None = None
        # Since when, in seconds of the server's clock, changes may have been missed.
        self.deaf_since = 0.0
        self._context = context
        self._history = context.history
        self._cls = cls
        self._kind = cls._schema.kind
        self._deferred: list[_Deferred] = []
        # Writes of this session whose answers did not tell the new `updated`: their echoes are still to come.
        self._echoes: dict[str, None] = {}
        # Guards `known` and the echoes. Nothing that takes the session's lock may run under it: `wrote` is called with
        # that lock held.
        self._lock = threading.Lock()

    def wrote(self, id: str, updated: bytes | None, *, deleted: bool) -> None:
        """Record a write of this session, so that its echo is not taken for another's."""
        with self._lock:
            if self.known is None:
                return
            self._echoes.pop(id, None)
            if deleted:
                self.known.pop(id, None)
                return
            self.known[id] = updated or self.known.get(id)
            if updated is None:
                self._echoes[id] = None
                if len(self._echoes) > MAX_ECHOES:
                    del self._echoes[next(iter(self._echoes))]

    @property
    def defers(self) -> bool:
        """True if a report waits for the answer to a write of this session."""
        return bool(self._deferred)

    def deferred(self) -> dict[str, int]:
        """Take the reports that wait no longer, now that the writes have been answered."""
        still = [each for each in self._deferred if not self._history.are_written(each.writes)]
        ready = {each.id: each.report for each in self._deferred if each not in still}
        self._deferred = still
        return ready

    def is_listing(self, ids: AbstractSet[str]) -> bool:
        """Tell whether the first frame of a connection lists the ids that exist, rather than changes."""
        return self.known is None or self._kind.stream == "asset" or ids >= self.known.keys()

    def compare(self, now: AbstractSet[str], since: int | None) -> dict[str, int]:
        """Compare a list of all ids with the known ones; return new, vanished and possibly changed ids as reports.

        Args:
            now: all ids.
            since: entities requested before this number may have changed unnoticed; None: none may have.
        """
        reports: dict[str, int] = {}
        held: dict[str, Record] = {}
        if since is not None:
            alive = self._context.identity_map.alive(self._cls)
            held = {each.id: each for each in alive if each._state.state in (LOADED, EXPIRED)}
            reports = {
                id: UPDATED if id in now else VANISHED for id, each in held.items() if each._state.applied < since
            }
        with self._lock:
            if self.known is None:
                self.known = dict.fromkeys(now)
                return reports
            known = self.known.keys()
            if since is not None and self._context.signals.changed.has_receivers_for(self._cls):
                reports |= dict.fromkeys((known & now).difference(held), SURVIVED)
            return reports | dict.fromkeys(now - known, UPDATED) | dict.fromkeys(known - now, VANISHED)

    def process(self, batch: dict[str, int]) -> dict[str, int]:
        """Fetch, apply and emit; return the reports that have to be tried again."""
        ready = self._split_own(batch)
        suspected = {id for id, report in ready.items() if report == VANISHED}
        try:
            gone = self._confirmed(suspected)
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return ready
        there: dict[str, int] = {}
        for id, report in ready.items():
            if report == DELETED or id in gone:
                self._emit_deleted(id)
            else:
                there[id] = min(report, UPDATED)
        self._history.note_reported(self._kind, there)
        wanted = [id for id in there if self._is_wanted(id)]
        for id in there.keys() - set(wanted):
            self._learn(id)
        return {id: there[id] for id in self._emit_updated(wanted, there)}

    def _split_own(self, batch: dict[str, int]) -> dict[str, int]:
        """Return the reports of what this session is not writing at this moment; the rest is deferred."""
        ready: dict[str, int] = {}
        for id, report in batch.items():
            writes = self._history.writes_of(self._kind, id)
            if not self._is_known(id):
                # It may be what a create of this session is making.
                writes |= self._history.writes_of(self._kind, None)
            if writes:
                self._deferred.append(_Deferred(id, report, writes))
            else:
                ready[id] = report
        return ready

    def _is_known(self, id: str) -> bool:
        return self.known is not None and id in self.known

    def _learn(self, id: str, updated: bytes | None = None) -> None:
        with self._lock:
            if self.known is not None:
                self.known[id] = updated or self.known.get(id)

    def _confirmed(self, vanished: set[str]) -> set[str]:
        """Return those of the vanished ids that the server does not list when it is asked once more."""
        return vanished.difference(reading.read_ids(self._context.connection, self._kind, {})) if vanished else set()

    def _is_wanted(self, id: str) -> bool:
        """Tell whether somebody holds the entity, or listens to the kind."""
        entity = self._context.identity_map.peek(self._cls, id)
        if entity is not None and entity._state.state is not HANDLE:
            return True
        signals = self._context.signals
        signal = signals.changed if self._is_known(id) else signals.created
        return bool(signal.has_receivers_for(self._cls))

    def _emit_updated(self, ids: list[str], reports: Mapping[str, int]) -> list[str]:
        """Read and emit; return the ids that could not be read."""
        known = {id for id in ids if self._is_loaded(id)}
        failed: list[str] = []
        missing: set[str] = set()
        for id, found in self._read(ids).items():
            if isinstance(found, NotFoundError):
                missing.add(id)
            elif isinstance(found, Entity):
                self._emit_one(found, was_loaded=id in known, survived=reports[id] == SURVIVED)
            else:
                _log.info("%s %s could not be read: %s", self._kind.name, id, found)
                failed.append(id)
        try:
            gone = self._confirmed(missing)
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return [*failed, *missing]
        for id in gone:
            self._emit_deleted(id)
        return [*failed, *(missing - gone)]

    def _is_loaded(self, id: str) -> bool:
        entity = self._context.identity_map.peek(self._cls, id)
        return entity is not None and entity._state.state in (LOADED, EXPIRED)

    def _read(self, ids: list[str]) -> dict[str, Entity | Exception]:
        """Read and apply; return by id the entity or its error. Echoes of own writes are applied as such."""
        with self._lock:
            own = [id for id in ids if id in self._echoes]
            others = [id for id in ids if id not in self._echoes]
        return self._read_as("echo", own) | self._read_as("remote", others)

    def _read_as(self, origin: str, ids: list[str]) -> dict[str, Entity | Exception]:
        try:
            if len(ids) >= BULK_THRESHOLD and 2 * len(ids) >= len(self.known or ()) and "all" in self._kind.routes:
                return loading.fetch_all(self._context, self._cls, ids, origin=origin)
            found = loading.fetch(self._context, self._cls, ids, origin=origin) if ids else {}
        except PiecesError as error:
            if len(ids) == 1 or isinstance(error, TransportError | StateError | NotAuthorizedError):
                return dict.fromkeys(ids, error)
            found = dict.fromkeys(ids, error)
        # One that cannot be read must not keep those from being read that were asked for with it.
        for id in [id for id, each in found.items() if len(ids) > 1 and _may_be_anothers(each)]:
            found |= self._read_as(origin, [id])
        return found

    def _emit_one(self, entity: Entity, *, was_loaded: bool, survived: bool) -> None:
        document = entity._state.document
        stamp = None if document is None else document.updated
        changed_later = survived and self._is_later(entity)
        with self._lock:
            is_new = not self._is_known(entity.id) and not was_loaded
            before = (self.known or {}).get(entity.id)
            is_echo = entity.id in self._echoes or (stamp is not None and before == stamp)
            if survived and before is None:
                is_echo = not changed_later
            self._echoes.pop(entity.id, None)
        self._learn(entity.id, stamp)
        signals = self._context.signals
        if is_new:
            signals.emit(signals.created, self._cls, entity=entity, origin="remote")
        elif not was_loaded and not is_echo:
            # Nobody knew what it was: that it changed is certain, what changed cannot be known.
            signals.emit(signals.changed, self._cls, entity=entity, fields=None, before={}, origin="remote")

    def _is_later(self, entity: Entity) -> bool:
        """Tell whether a material was updated, by the server's clock, since reports of it could be missed."""
        updated = getattr(entity, "updated", None)
        return updated is not None and updated.timestamp() >= self.deaf_since

    def _emit_deleted(self, id: str) -> None:
        with self._lock:
            was_known = self._is_known(id)
            if self.known is not None:
                self.known.pop(id, None)
            self._echoes.pop(id, None)
        signals, identity_map = self._context.signals, self._context.identity_map
        entity = identity_map.peek(self._cls, id)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self._cls)):
            self._history.note_deleted(self._kind, id)
            return
        entity = entity or identity_map.ref(self._cls, id)
        # A mere handle of an id that was never reported, or was emitted already, goes silently.
        is_news = was_known or entity._state.document is not None
        if state_changes.remove(self._context, entity) and is_news:
            signals.emit(signals.deleted, self._cls, entity=entity, origin="remote")


def _may_be_anothers(found: Entity | Exception) -> bool:
    """Tell whether an error may be due to another material that was requested with this one."""
    return isinstance(found, Exception) and not isinstance(
        found, NotFoundError | TransportError | StateError | NotAuthorizedError
    )
