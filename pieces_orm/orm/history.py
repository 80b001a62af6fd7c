"""A journal of deletions, reports and associations, kept for as long as older answers may still arrive.

Each request carries a number. A deletion, a change reported by a stream, and an association made or undone are noted
under the number of their moment, so that an answer to an older request never wins over them. The journal also knows
which writes are under way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from ..concurrency.forking import fork_safe
from ..wire.kinds import Kind

Key = tuple[str, str]


class Link(msgspec.Struct, frozen=True):
    """An association made or undone, as one side sees it."""

    number: int
    relation: str
    id: str
    present: bool


class History:
    """The numbers, the journal and the lock of one session."""

    def __init__(self) -> None:
        self.lock = fork_safe(threading.RLock())
        self._clock = 0
        self._under_way: set[int] = set()
        self._writes: dict[int, tuple[str, str | None]] = {}
        self._in_parts: dict[int, tuple[str, str | None]] = {}
        self._deleted: dict[Key, int] = {}
        self._reported: dict[Key, int] = {}
        self._links: dict[Key, list[Link]] = {}
        self._written: dict[Key, tuple[int, str]] = {}
        self._origins: dict[int, str] = {}

    # Numbers ---------------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Return the next number: everything requested before is older."""
        with self.lock:
            self._clock += 1
            return self._clock

    @contextmanager
    def request(self) -> Iterator[int]:
        """Give a request a number for as long as it is under way."""
        with self.lock:
            number = self.now()
            self._under_way.add(number)
        try:
            yield number
        finally:
            with self.lock:
                self._under_way.discard(number)
                if not self.is_empty:
                    self._prune(min(self._under_way, default=self._clock + 1))

    def _prune(self, oldest: int) -> None:
        self._deleted = {key: number for key, number in self._deleted.items() if number > oldest}
        self._reported = {key: number for key, number in self._reported.items() if number > oldest}
        self._written = {key: write for key, write in self._written.items() if write[0] > oldest}
        links = {key: [link for link in noted if link.number > oldest] for key, noted in self._links.items()}
        self._links = {key: noted for key, noted in links.items() if noted}

    @contextmanager
    def writing(self, kind: Kind, id: str | None = None, *, origin: str = "", in_parts: bool = False) -> Iterator[None]:
        """Mark a write as under way until its answer is applied.

        Args:
            id: of the material; None: a create.
            origin: that with which the document of its echo is applied; empty: its answer is the document.
            in_parts: the write takes several requests, and its answer is read after the last.
        """
        with self.lock:
            number = self.now()
            self._writes[number] = (kind.name, id)
            self._origins[number] = origin
            if in_parts:
                self._in_parts[number] = (kind.name, id)
        try:
            yield
        finally:
            with self.lock:
                del self._writes[number], self._origins[number]
                self._in_parts.pop(number, None)
                if self._under_way and id is not None:
                    self._written[kind.name, id] = (self.now(), origin)

    def writes_of(self, kind: Kind, id: str | None) -> frozenset[int]:
        """Return the writes of one material that are under way; without an id, the creates of a kind."""
        with self.lock:
            return frozenset(number for number, key in self._writes.items() if key == (kind.name, id))

    def is_written_in_parts(self, kind: Kind, id: str) -> bool:
        """Tell whether a write in parts of a material is under way."""
        with self.lock:
            return (kind.name, id) in self._in_parts.values()

    def are_written(self, numbers: frozenset[int]) -> bool:
        """Tell whether none of these writes is under way any more."""
        with self.lock:
            return numbers.isdisjoint(self._writes)

    # The journal: written only while a request is under way whose answer could contradict it -----------------------

    @property
    def is_idle(self) -> bool:
        """True if neither a request nor a write is under way."""
        return not (self._under_way or self._writes)

    @property
    def is_empty(self) -> bool:
        """True if nothing was noted that an answer could contradict."""
        return not (self._deleted or self._reported or self._links or self._written)

    def note_deleted(self, kind: Kind, id: str) -> None:
        """Record that a material was deleted, so that older answers do not bring it back."""
        with self.lock:
            if self._under_way:
                self._deleted[kind.name, id] = self.now()

    def note_reported(self, kind: Kind, ids: Iterable[str]) -> None:
        """Record that a stream reported these ids, so that answers requested earlier count as outdated."""
        with self.lock:
            if self._under_way:
                number = self.now()
                self._reported.update(((kind.name, id), number) for id in ids)

    def note_link(self, kind: Kind, id: str, link: Link) -> None:
        """Record an association made or undone."""
        with self.lock:
            if self._under_way:
                self._links.setdefault((kind.name, id), []).append(link)

    def is_deleted_since(self, kind: Kind, id: str, number: int) -> bool:
        """Tell whether a material was deleted after the request with this number."""
        return self._deleted.get((kind.name, id), -1) > number

    def is_reported_since(self, kind: Kind, id: str, number: int) -> bool:
        """Tell whether a stream reported a material after the request with this number."""
        return self._reported.get((kind.name, id), -1) > number

    def written_since(self, kind: Kind, id: str, number: int) -> str | None:
        """Return the origin of a write of this session that was under way after the request with this number."""
        with self.lock:
            under_way = [self._origins[each] for each in self.writes_of(kind, id)]
            ended, origin = self._written.get((kind.name, id), (-1, ""))
            return max(under_way, default=origin if ended > number else None, key=lambda each: each == "score")

    def links_since(self, kind: Kind, id: str, number: int) -> list[Link]:
        """Return the changes of a material's associations after the request with this number, oldest first."""
        return [link for link in self._links.get((kind.name, id), ()) if link.number > number]

    def deletions_since(self, number: int) -> list[Key]:
        """Return kind and id of each material that was deleted after the request with this number."""
        return [key for key, at in self._deleted.items() if at > number]
