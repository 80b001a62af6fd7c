"""Deliver what a feed reports to its session and to the scopes of it: one read for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack

from ..documents.document import Document
from ..errors import NotFoundError, PiecesError
from ..orm import loading, reading
from ..orm.context import Context
from ..orm.entity import Entity
from ..orm.relation_loading import RelatedIds
from .listing import Listing
from .pending import DELETED, SURVIVED, UPDATED, VANISHED
from .reconciler import Reconciler, may_be_anothers

_log = logging.getLogger("pieces_orm.sync.feed")

# From so many ids of a kind on, all others of it are read with them in one request.
BULK_THRESHOLD = 200

Found = dict[str, "Document | Exception"]


class Delivery:
    """The listing of one kind, and the way from reports to the sessions that they are for.

    Args:
        context: of the session that watches.
        members: returns the reconcilers of the session and of the scopes that hold entities, listen or have requests
            under way; one that joins later has read what it holds after the reports that are processed.
    """

    def __init__(self, context: Context, cls: type[Entity], members: Callable[[], list[Reconciler]]) -> None:
        self.listing = Listing()
        self._context = context
        self._cls = cls
        self._kind = cls._schema.kind
        self._members = members

    @property
    def waits(self) -> bool:
        """True if a report waits for the answer to a write of a session, or for its turn."""
        return any(each.waits for each in self._members())

    def numbers(self) -> dict[Context, int]:
        """Return the numbers of a request that is about to be made, by session and scope."""
        return {each: each.history.now() for each in (self._context, *self._context.scopes())}

    def heard(self, ids: AbstractSet[str]) -> None:
        """Record that reports came: what is an echo now is still one when it is processed."""
        for each in self._members():
            each.known.heard(ids)

    def let_go(self) -> None:
        """Let go of writes whose echoes do not come any more."""
        for each in self._members():
            each.known.let_go()

    def stop(self) -> None:
        """Let go of what is held for echoes."""
        for each in self._members():
            each.known.stop()

    def is_listing(self, ids: AbstractSet[str]) -> bool:
        """Tell whether the first frame of a connection lists the ids that exist, rather than changes."""
        return not self.listing.is_there or self._kind.stream == "asset" or ids >= self.listing.ids.keys()

    def compare(self, now: AbstractSet[str], numbers: Mapping[Context, int], *, recovering: bool) -> dict[str, int]:
        """Compare a list of all ids with the known ones; return new, vanished and possibly changed ids as reports.

        Args:
            now: all ids.
            numbers: those of the request of the ids.
            recovering: entities that were requested before may have changed unnoticed.
        """
        reports: dict[str, int] = {}
        members = self._members()
        for member in members:
            number = numbers.get(member.context, 0)
            for id, report in member.compare(now, number, recovering=recovering).items():
                reports[id] = max(report, reports.get(id, report))
        if not self.listing.is_there:
            self.listing.take_first(now, numbers, self._context.connection.server_time())
            return reports
        listed = set(self.listing.ids)
        known = listed.union(*(member.known.own() for member in members))
        if recovering and any(each.context.signals.changed.has_receivers_for(self._cls) for each in members):
            reports = dict.fromkeys(known & now, SURVIVED) | reports
        return reports | dict.fromkeys(now - listed, UPDATED) | dict.fromkeys(known - now, VANISHED)

    def process(self, batch: dict[str, int]) -> dict[str, int]:
        """Fetch once, apply and emit everywhere; return the reports that have to be tried again."""
        ready = {member: member.ready(batch) for member in self._members()}
        reports = {id: report for each in ready.values() for id, report in each.items()} | batch
        try:
            gone = self._confirmed({id for each in ready.values() for id in each if each[id] == VANISHED})
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return {id: reports[id] for each in ready.values() for id in each}
        there = {member: member.remove_gone(each, gone) for member, each in ready.items()}
        wanted = {member: member.wanted(each) for member, each in there.items()}
        with ExitStack() as stack:
            numbers = {
                member: stack.enter_context(member.context.history.request()) for member, ids in wanted.items() if ids
            }
            found, vanished = self._read({id: None for each in wanted.values() for id in each})
            failed = {id for id, each in found.items() if isinstance(each, Exception)} - vanished
            related = RelatedIds(self._context.connection)
            for member, number in numbers.items():
                failed |= member.apply(found, wanted[member], there[member], related, number)
                member.remove_gone(dict.fromkeys(wanted[member].keys() & vanished, DELETED), vanished)
        self._learn(reports.keys() - failed, batch, found, gone | vanished)
        for member, each in ready.items():
            member.known.follow_listing(each.keys() - wanted[member].keys())
        return {id: min(reports[id], UPDATED) for id in failed}

    def _learn(self, told: AbstractSet[str], batch: Mapping[str, int], found: Found, gone: AbstractSet[str]) -> None:
        """Let the listing know what has been told to everybody by now."""
        for id in told:
            document = found.get(id)
            if id in gone or batch.get(id) == DELETED:
                self.listing.remove(id)
            elif id in batch or id in self.listing.ids:
                self.listing.put(id, document.updated if isinstance(document, Document) else None)

    def _read(self, ids: Iterable[str]) -> tuple[Found, set[str]]:
        """Read the documents of materials; return them or errors by id, and the ids that turned out to be gone."""
        found = self._documents(list(ids))
        for id, each in found.items():
            if isinstance(each, Exception) and not isinstance(each, NotFoundError):
                _log.info("%s %s could not be read: %s", self._kind.name, id, each)
        try:
            return found, self._confirmed({id for id, each in found.items() if isinstance(each, NotFoundError)})
        except PiecesError as error:
            _log.info("The vanished of %s could not be confirmed: %s", self._kind.collection, error)
            return found, set()

    def _documents(self, ids: Sequence[str]) -> Found:
        found: Found = {}
        if not ids:
            return found
        is_bulk = len(ids) >= BULK_THRESHOLD and 2 * len(ids) >= len(self.listing.ids) and "all" in self._kind.routes
        read = loading.read_all_documents if is_bulk else loading.read_documents
        try:
            read(self._context, self._kind, ids, found.__setitem__)
        except PiecesError as error:
            if len(ids) == 1 or not may_be_anothers(error):
                return dict.fromkeys(ids, error)
            found = dict.fromkeys(ids, error)
        # One that cannot be read must not keep those from being read that were asked for with it.
        doubtful = [
            id
            for id, each in found.items()
            if isinstance(each, Exception) and not isinstance(each, NotFoundError) and may_be_anothers(each)
        ]
        for id in doubtful if len(ids) > 1 else ():
            found |= self._documents([id])
        return found

    def _confirmed(self, vanished: set[str]) -> set[str]:
        """Return those of the vanished ids that the server does not list when it is asked once more."""
        return reading.unlisted(self._context.connection, self._kind, vanished)
