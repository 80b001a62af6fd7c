"""Apply what a feed has read to one session or scope, emit each change once, and suppress echoes of its own writes."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from attrs import frozen

from ..documents.document import Document
from ..errors import NotAuthorizedError, PiecesError, StateError, TransportError
from ..model.record import Record
from ..model.state import DELETED, EXPIRED, HANDLE, LOADED, PARTIAL
from ..orm import field_access, relation_loading, state_changes
from ..orm.context import Context
from ..orm.entity import Entity
from ..orm.relation_loading import RelatedIds
from .known_ids import KnownIds
from .listing import Listing
from .pending import DELETED as REPORTED_DELETED
from .pending import SEEN, SURVIVED, UPDATED, VANISHED

_log = logging.getLogger("pieces_orm.sync.feed")


@frozen
class _Deferred:
    """A report of a material that this session is writing: it waits for the answer to that."""

    id: str
    report: int
    writes: frozenset[int]


class Reconciler:
    """The known ids of one kind in a session or scope, and the way from reports to changes and signals there.

    Args:
        context: of the session or scope.
        listing: that of the feed.
    """

    def __init__(self, context: Context, cls: type[Entity], listing: Listing) -> None:
        self.context = context
        self.listing = listing
        self.known = KnownIds(listing, context)
        self._history = context.history
        self._cls = cls
        self._kind = cls._schema.kind
        self._deferred: list[_Deferred] = []
        # Reports that have waited: a write that began after them is not what they are about.
        self._waited: set[str] = set()
        # Materials to be read anew for this session alone.
        self._again: set[str] = set()

    def announce(self, entity: Record, number: int) -> None:
        """Emit `created` for a material that was there at this number, if it is new and was not announced yet."""
        if self.known.is_unannounced(entity.id, number) and self._enter(entity):
            signals = self.context.signals
            signals.emit(signals.created, self._cls, entity=entity, origin="remote")

    def _enter(self, entity: Record) -> bool:
        """Make a material known; False when it was, or was deleted meanwhile."""
        with self.context.lock:
            document = entity._state.document
            updated = None if document is None else document.updated
            return entity._state.state is not DELETED and self.known.enter(entity.id, updated)

    # Reports: which of them are for this session, and when ------------------------------------------------------------

    def again(self, id: str) -> None:
        """Have a material read anew, because an outdated answer was applied to it here."""
        self._again.add(id)

    @property
    def waits(self) -> bool:
        """True if something is still to be read for this session alone, or waits for the answer to a write of it."""
        return bool(self._deferred or self._again)

    def compare(self, now: AbstractSet[str], number: int, *, recovering: bool) -> dict[str, int]:
        """Return reports of the held entities that vanished, or may have changed, before the request with this number.

        Args:
            now: all ids, as that request has read them.
            recovering: entities that were requested before may have changed unnoticed.
        """
        alive = self.context.identity_map.alive(self._cls)
        held = [each for each in alive if each._state.state in (LOADED, EXPIRED, PARTIAL)]
        older = [each for each in held if each._state.applied < number]
        # One that was read and deleted between two lists of ids is in neither.
        reports = {each.id: VANISHED for each in older if each.id not in now}
        if recovering:
            is_first = not self.listing.is_there
            # Of a copy nobody knows what has changed since, only that it may be old. A first list announces nothing to
            # those who do not hold the entity.
            old_copy, old = (SEEN, SEEN) if is_first else (SURVIVED, UPDATED)
            there = [each for each in older if each.id in now]
            reports |= {each.id: old_copy if each._state.state is PARTIAL else old for each in there}
        return reports

    def ready(self, batch: Mapping[str, int]) -> dict[str, int]:
        """Return the reports to process here now; those of what this session is writing are deferred."""
        reports: dict[str, int] = {}
        while self._again:
            reports[self._again.pop()] = UPDATED
        still = [each for each in self._deferred if not self._history.are_written(each.writes)]
        answered = {each.id: each.report for each in self._deferred if each not in still}
        self._deferred = still
        self._waited.update(answered)
        for id, report in (*answered.items(), *batch.items()):
            reports[id] = max(report, reports.get(id, report))
        ready: dict[str, int] = {}
        for id, report in reports.items():
            writes = self._history.writes_of(self._kind, id)
            if id not in self.known:
                # It may be what a create of this session is making.
                writes |= self._history.writes_of(self._kind, None)
            if writes and id not in self._waited:
                self._deferred.append(_Deferred(id, report, writes))
            else:
                ready[id] = report
                self._waited.discard(id)
        # Changes that were emitted elsewhere meanwhile are emitted here later.
        self.known.keep(reports.keys() - ready.keys())
        return ready

    def remove_gone(self, reports: Mapping[str, int], gone: AbstractSet[str]) -> dict[str, int]:
        """Delete and emit what is gone; return the reports of what is there."""
        there: dict[str, int] = {}
        for id, report in reports.items():
            if report == REPORTED_DELETED or id in gone:
                self._emit_deleted(id)
            else:
                there[id] = min(report, UPDATED)
        self._history.note_reported(self._kind, there)
        return there

    def wanted(self, reports: Mapping[str, int]) -> dict[str, bool]:
        """Return the ids to read for this session, each with whether it is loaded; the others are learned only."""
        wanted = {id: self._is_loaded(id) for id, report in reports.items() if report == SEEN or self._is_wanted(id)}
        self.known.learn(reports.keys() - wanted.keys())
        return wanted

    def _is_wanted(self, id: str) -> bool:
        """Tell whether somebody holds the entity, or listens to the kind."""
        entity = self.context.identity_map.peek(self._cls, id)
        if entity is not None and entity._state.state is not HANDLE:
            return True
        # One that this session saw gone has to be looked at before it is believed to be there again.
        if self.known.was_removed(id) or state_changes.is_copied(self.context, self._cls, id):
            return True
        signals = self.context.signals
        signal = signals.changed if id in self.known else signals.created
        return bool(signal.has_receivers_for(self._cls))

    def _is_loaded(self, id: str) -> bool:
        entity = self.context.identity_map.peek(self._cls, id)
        return entity is not None and entity._state.state in (LOADED, EXPIRED)

    # Answers ----------------------------------------------------------------------------------------------------------

    def apply(
        self,
        found: Mapping[str, Document | Exception],
        wanted: Mapping[str, bool],
        reports: Mapping[str, int],
        related: RelatedIds,
        number: int,
    ) -> set[str]:
        """Apply and emit what was read; return the ids of which a part could not be read.

        Echoes of own writes are applied as such.

        Args:
            found: documents by id; errors are passed over.
            wanted: the ids for this session, each with whether it was loaded before.
            reports: by id.
            related: reads what documents leave out, once for all sessions.
            number: that of the read.
        """
        if self.context.connection.is_closed:
            return set()
        by_origin: defaultdict[str, list[Entity]] = defaultdict(list)
        failed: set[str] = set()
        for id in wanted:
            held, document = self.context.identity_map.peek(self._cls, id), found[id]
            origin = self.known.echo_origin(id, 0 if held is None else held._state.applied) or "remote"
            if isinstance(document, Document):
                try:
                    entity = state_changes.adopt(self.context, self._cls, id, document, number, origin)
                except PiecesError as error:
                    _log.info("%s %s could not be read: %s", self._kind.name, id, error)
                    failed.add(id)
                    continue
                if entity is not None:
                    by_origin[origin].append(entity)
        failed |= {
            id for origin, entities in by_origin.items() for id in self._read_parts(entities, origin, related, number)
        }
        for entity in (each for entities in by_origin.values() for each in entities if each.id not in failed):
            self._emit_one(entity, reports[entity.id], number, was_loaded=wanted[entity.id])
        return failed

    def _read_parts(self, entities: Sequence[Entity], echo: str, related: RelatedIds, number: int) -> Iterable[str]:
        """Read the parts again that were known and that documents leave out; return the ids for which that failed."""
        origin = _origin(echo)
        try:
            relation_loading.reread_former_ids(self.context, entities, related, number, origin)
            # An association of this session may have changed them; it was told when it was made.
            field_access.reread_former_values(self.context, entities, "local" if echo == "echo" else origin)
        except PiecesError as error:
            if len(entities) == 1 or not may_be_anothers(error):
                _log.info("Parts of %s could not be read: %s", self._kind.collection, error)
                return [each.id for each in entities]
            return [id for each in entities for id in self._read_parts([each], echo, related, number)]
        return ()

    def _emit_one(self, entity: Entity, report: int, number: int, *, was_loaded: bool) -> None:
        document, origin = entity._state.document, _origin(self.known.echo_origin(entity.id))
        is_new = self._enter(entity)
        is_anothers = self.known.follow(
            entity.id,
            None if document is None else document.updated,
            number,
            may_be_old=report < UPDATED and not (report == SURVIVED and self._is_later(entity)),
        )
        signals = self.context.signals
        if is_new:
            signals.emit(signals.created, self._cls, entity=entity, origin=origin)
        elif is_anothers and not was_loaded:
            # Nobody knew what it was: that it changed is certain, what changed cannot be known.
            signals.emit(signals.changed, self._cls, entity=entity, fields=None, before={}, origin="remote")

    def _is_later(self, entity: Entity) -> bool:
        """Tell whether a material was updated, by the server's clock, since reports of it could be missed."""
        updated = getattr(entity, "updated", None)
        return updated is not None and updated.timestamp() >= self.listing.deaf_since

    def _emit_deleted(self, id: str) -> None:
        signals, identity_map = self.context.signals, self.context.identity_map
        entity = identity_map.peek(self._cls, id)
        if entity is not None and entity._state.document is not None:
            self.announce(entity, entity._state.applied)
        was_known, echo = self.known.forget(id)
        if entity is None and not (was_known and signals.deleted.has_receivers_for(self._cls)):
            self._history.note_deleted(self._kind, id)
        else:
            entity = entity or identity_map.ref(self._cls, id)
            # A mere handle of an id that was never reported, or was emitted already, goes silently.
            is_news = was_known or entity._state.document is not None
            changes = state_changes.remove(self.context, entity)
            if changes is not None and is_news:
                state_changes.tell_deleted(self.context, entity, changes, _origin(echo))
        self.known.saw_removed(id)


def _origin(echo: str | None) -> str:
    """Return the origin of what comes with an echo: a part of what this session made or deleted is its own too."""
    return "local" if echo in ("beside", "part") else "remote"


def may_be_anothers(error: Exception) -> bool:
    """Tell whether an error may be due to another material that was requested with one."""
    return not isinstance(error, TransportError | StateError | NotAuthorizedError)
