"""The ids of one kind that a session or scope knows, and its own writes, whose echoes are still to come.

An id is known once its material was announced, or was there before anything could be announced. With each goes the
`updated` that was emitted or written last, where that is known: a report that brings the same is no news.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TypeVar

import msgspec
from attrs import frozen

from ..concurrency.forking import fork_safe
from ..orm.context import Context
from ..values.structs import in_utc
from .listing import ABSENT, Listing, Told

V = TypeVar("V")

# Writes, and materials found gone, whose reports are waited for at most; older ones are taken for lost.
MAX_EXPECTED = 10_000
# An echo comes so soon, if at all: a later report is of another program's change.
MAX_ECHO_S = 10.0
# The origins with which documents of echoes are applied, by how much the writes change.
ECHO_ORIGINS = ("echo", "beside", "score", "part")


@frozen
class _Write:
    """A write of this session.

    Attributes:
        number: that of the moment after it.
        at: seconds of the monotonic clock.
        origin: that with which the document of its echo is applied; None when the new `updated` tells the echo.
        updated: the new `updated`, where it is known.
        is_over: it was made on top of another program's change, which is still to be emitted.
        held: the entity, whose document shows what its echo brings besides, as long as that is still to come.
    """

    number: int
    at: float
    origin: str | None
    updated: bytes | None
    is_over: bool
    held: object


class KnownIds:
    """The known ids of one kind; every method may be called from any thread.

    Args:
        listing: that of the feed, which its session shares with all scopes.
        session: the session or scope that these are of.
    """

    def __init__(self, listing: Listing, session: Context) -> None:
        self._listing, self._session = listing, session
        # Where this session knows more or less than the listing: its own writes, and what it has still to be told.
        self._own: dict[str, Told] = {}
        self._writes: dict[str, _Write] = {}
        # Materials whose reports came and are still to be processed, which takes long on a machine under load.
        self._heard: set[str] = set()
        # Materials that this session deleted or found to be gone: reports of that are still to come.
        self._gone: dict[str, None] = {}
        # Nothing that takes the session's lock may run under this one: some callers hold that already.
        self._lock = fork_safe(threading.Lock())

    def __contains__(self, id: str) -> bool:
        return self._listing.is_there and self._told(id) is not ABSENT

    # The listing ----------------------------------------------------------------------------------------------------

    def own(self) -> set[str]:
        """Return the ids that this session knows, and the listing may not."""
        with self._lock:
            return {id for id, told in self._own.items() if told is not ABSENT}

    def keep(self, ids: Iterable[str]) -> None:
        """Stay with what is known of materials until their reports are processed, while the listing goes on."""
        with self._lock:
            for id in ids:
                self._own.setdefault(id, self._listing.told(id))

    def follow_listing(self, learned: AbstractSet[str]) -> None:
        """Let the listing speak for materials of which it knows as much by now, once reports were processed.

        Args:
            learned: ids whose reports nobody listened to here, which may have been read for others.
        """
        with self._lock:
            self._own = {
                id: told
                for id, told in self._own.items()
                if told != self._listing.told(id) and not (told is None and id in learned)
            }

    # Writes of this session -----------------------------------------------------------------------------------------

    def created(self, id: str, updated: bytes | None) -> bool | None:
        """Record a create of this session; tell whether the material is new, None where that is not known."""
        with self._lock:
            is_new = self._told(id) is ABSENT
            self._own[id] = updated
            return is_new if self._listing.is_there else None

    def wrote(
        self,
        id: str,
        updated: bytes | None,
        number: int,
        *,
        origin: str | None = None,
        before: bytes | None = None,
        held: object = None,
    ) -> None:
        """Record a write of this session, so that its echo is not taken for another's.

        Args: those of `Watching.wrote`, and the number of the moment after the write.
        """
        with self._lock:
            last = self._expected(id)
            told = origin if updated is None else None
            if last is not None and last.origin:
                # Of several writes that one report may stand for, the one that changes most says what is whose.
                told = max(told or last.origin, last.origin, key=ECHO_ORIGINS.index)
            is_over = self._is_news(id, before) or (last is not None and last.is_over)
            now = time.monotonic()
            _put_bounded(self._writes, id, _Write(number, now, told, updated, is_over, held))
            if updated is not None and not is_over and id in self:
                self._learn(id, updated)

    def removed(self, id: str) -> None:
        """Record that an entity became DELETED, so that it is not told once more when a report of that comes."""
        with self._lock:
            self._forget(id)
            _put_bounded(self._gone, id, None)

    def was_removed(self, id: str) -> bool:
        """Tell whether this session saw a material gone, so that a report of it has to be looked at."""
        return id in self._gone

    def echo_origin(self, id: str, since: int = 0) -> str | None:
        """Return the origin with which the document of an echo is applied; None when none is expected.

        Args:
            since: the number of the request whose answer was shown last: a write before it brings nothing more.
        """
        with self._lock:
            expected = self._expected(id)
            return None if expected is None or expected.number < since else expected.origin

    # Reports --------------------------------------------------------------------------------------------------------

    def heard(self, ids: AbstractSet[str]) -> None:
        """Record that reports came: what is an echo now is still one when it is processed."""
        with self._lock:
            for id in ids & self._writes.keys():
                if self._expected(id) is None:
                    del self._writes[id]
            self._heard |= ids

    def is_unannounced(self, id: str, number: int) -> bool:
        """Tell whether a material that was there at this number is new and was not announced yet."""
        return self._listing.is_there and id not in self and number > self._listing.number_for(self._session)

    def enter(self, id: str, updated: bytes | None) -> bool:
        """Make a material known; False when it was."""
        with self._lock:
            if not self._listing.is_there or id in self:
                return False
            self._own[id] = updated
            return True

    def learn(self, ids: AbstractSet[str]) -> None:
        """Make materials known that nobody listens to."""
        with self._lock:
            self._heard -= ids
            for id in ids:
                self._learn(id, None)

    def follow(self, id: str, updated: bytes | None, number: int, *, may_be_old: bool) -> bool:
        """Take the answer to a read of a reported material; tell whether it is another program's change.

        Args:
            number: that of the read.
            may_be_old: the change may be from before the first list of ids, if nothing of the material is known.
        """
        with self._lock:
            before = self._told(id)
            if not self._listing.is_there or before is ABSENT:
                self._heard.discard(id)
                return False  # deleted meanwhile
            self._gone.pop(id, None)
            write = self._expected(id)
            self._heard.discard(id)
            is_older = write is not None and write.number > number
            is_echo = (write is not None and write.origin is not None) or (updated is not None and before == updated)
            if before is None and may_be_old:
                is_echo = True
            if write is not None and write.is_over:
                # Another's change is emitted now; the write of this session on top of it is no news after that.
                is_echo, updated = False, (write.updated or updated) if is_older else updated
            elif is_older:
                # Read before a write of this session, whose echo is still to come.
                self._learn(id, None)
                return False
            self._writes.pop(id, None)
            self._learn(id, updated)
            return not is_echo

    def forget(self, id: str) -> tuple[bool, str | None]:
        """Take a deletion; return whether the material was known, and the origin of an expected echo."""
        with self._lock:
            expected = self._expected(id)
            was_known = id in self
            self._forget(id)
            return was_known, None if expected is None else expected.origin

    def saw_removed(self, id: str) -> None:
        """Stop waiting for the report of a deletion."""
        with self._lock:
            self._gone.pop(id, None)

    def let_go(self) -> None:
        """Let go of writes whose echoes do not come any more."""
        with self._lock:
            self._writes = {id: write for id, write in self._writes.items() if self._expected(id) is write}

    def stop(self) -> None:
        """Let go of what is held for echoes."""
        with self._lock:
            self._writes.clear()
            self._heard.clear()

    # Under the lock ---------------------------------------------------------------------------------------------------

    def _is_news(self, id: str, updated: bytes | None) -> bool:
        """Tell whether another program updated a material since it was emitted, or since the first list of ids."""
        expected = self._expected(id)
        if updated is None or id not in self or (expected is not None and expected.origin):
            return False
        before = self._told(id)
        return before != updated if before is not None else _seconds(updated) >= self._listing.time

    def _expected(self, id: str) -> _Write | None:
        write = self._writes.get(id)
        is_late = write is not None and time.monotonic() - write.at >= MAX_ECHO_S
        return None if is_late and id not in self._heard else write

    def _learn(self, id: str, updated: bytes | None) -> None:
        if self._listing.is_there:
            before = self._told(id)
            self._own[id] = updated or (None if before is ABSENT else before)

    def _told(self, id: str) -> Told:
        try:
            return self._own[id]
        except KeyError:
            return self._listing.told(id)

    def _forget(self, id: str) -> None:
        self._writes.pop(id, None)
        self._heard.discard(id)
        self._own[id] = ABSENT  # also where the listing does not know it yet: it may be about to


def _seconds(updated: bytes) -> float:
    """Return the time of an `updated` in seconds since 1970; 0 when it cannot be read."""
    try:
        return in_utc(msgspec.json.decode(updated, type=datetime)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _put_bounded(values: dict[str, V], id: str, value: V) -> None:
    """Put a value at the end of a dict of at most MAX_EXPECTED."""
    values.pop(id, None)
    values[id] = value
    if len(values) > MAX_EXPECTED:
        del values[next(iter(values))]
