"""What is written to the database: one transaction, with what it changes."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from ..domain.relations import Joint
from .reader import Edge, Reader, Row
from .tables import change, edge, material
from .timestamps import stamp

Operation = Literal["create", "update", "delete"]
Changes = Mapping[tuple[str, str], Operation]

_THIS = and_(material.c.kind == bindparam("k"), material.c.id == bindparam("i"))
_TOUCH = update(material).where(_THIS).values(updated=bindparam("now"))
_REWRITE = (
    update(material).where(_THIS).values(updated=bindparam("now"), document=bindparam("text"), label=bindparam("l"))
)
_REMOVE = delete(material).where(_THIS)
_SAME_EDGE = and_(edge.c.relation == bindparam("r"), edge.c.id_a == bindparam("a"), edge.c.id_b == bindparam("b"))
_KNOWN_EDGE = select(edge.c.seq).where(_SAME_EDGE)
_UNLINK = delete(edge).where(_SAME_EDGE)
_TOUCHING = or_(
    and_(edge.c.kind_a == bindparam("k"), edge.c.id_a == bindparam("i")),
    and_(edge.c.kind_b == bindparam("k"), edge.c.id_b == bindparam("i")),
)
_NEIGHBOURS = select(edge.c.kind_a, edge.c.id_a, edge.c.kind_b, edge.c.id_b).where(_TOUCHING)
_UNLINK_ALL = delete(edge).where(_TOUCHING)
_ADD, _LINK, _LOG = insert(material), insert(edge), insert(change)


def new_id() -> str:
    """An id for a new material."""
    return str(uuid.uuid4())


class _Link(NamedTuple):
    """An edge that this transaction has made."""

    relation: str
    kind_a: str
    a: str
    kind_b: str
    b: str

    @property
    def ends(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Kind and id of both."""
        return (self.kind_a, self.a), (self.kind_b, self.b)


class Writer(Reader):
    """One transaction; collects what it changes, deletion over update over nothing.

    What it has created itself, with the edges made since, it knows without asking the database.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.changes: dict[tuple[str, str], Operation] = {}
        self.rewritten: set[tuple[str, str]] = set()
        self.removed: dict[str, list[int]] = {}
        self.now = stamp()
        self._created: dict[tuple[str, str], Row] = {}
        self._linked: list[_Link] = []

    def _changed(self, kind: str, id: str, operation: Operation) -> None:
        if operation == "delete" or (kind, id) not in self.changes:
            self.changes[kind, id] = operation

    def create(self, kind: str, id: str, document: str, *, label: str | None = None, created: str = "") -> None:
        """Store a new material."""
        values = {"kind": kind, "id": id, "document": document, "label": label}
        added = self.connection.execute(_ADD, values | {"created": created or self.now, "updated": self.now})
        seq = added.inserted_primary_key
        self._created[kind, id] = Row(id, document, created or self.now, self.now, seq[0] if seq else 0)
        self._changed(kind, id, "create")

    def is_new(self, kind: str, id: str) -> bool:
        """Whether this transaction has created a material, and not changed its own keys since."""
        return (kind, id) in self._created

    def row(self, kind: str, id: str) -> Row | None:
        """One material, None when there is none."""
        return self._created.get((kind, id)) or super().row(kind, id)

    def edges(self, kind: str, ids: Sequence[str] | None = None, *, most: int | None = None) -> Iterator[Edge]:
        """The edges of materials, in each relation the oldest first; with `most`, only that many and one of each."""
        if ids is None or not all(self.is_new(kind, id) for id in ids):
            yield from super().edges(kind, ids, most=most)
            return
        wanted = set(ids)
        counted: Counter[tuple[str, str, str]] = Counter()
        for link in self._linked:
            for side, own_kind, own, other in (("a", link.kind_a, link.a, link.b), ("b", link.kind_b, link.b, link.a)):
                if own_kind == kind and own in wanted:
                    counted[link.relation, side, own] += 1
                    if most is None or counted[link.relation, side, own] <= most + 1:
                        yield link.relation, side, own, other

    def update(self, kind: str, id: str, document: str, *, label: str | None = None, words: bool = True) -> None:
        """Replace a material's own keys; `words` tells whether what searches look at may have changed."""
        values = {"k": kind, "i": id, "now": self.now, "text": document, "l": label}
        self.connection.execute(_REWRITE, values)
        self._created.pop((kind, id), None)
        if words:
            self.rewritten.add((kind, id))
        self._changed(kind, id, "update")

    def touch(self, kind: str, id: str) -> None:
        """Mark a material as updated now."""
        if (kind, id) not in self.changes:
            self.connection.execute(_TOUCH, {"k": kind, "i": id, "now": self.now})
            self._changed(kind, id, "update")

    def delete(self, kind: str, id: str) -> None:
        """Remove a material and its edges; its neighbours are touched."""
        this = {"k": kind, "i": id}
        row = self.row(kind, id)
        if row is not None:
            self.removed.setdefault(kind, []).append(row.seq)
        neighbours = self.connection.execute(_NEIGHBOURS, this).all()
        self.connection.execute(_UNLINK_ALL, this)
        self.connection.execute(_REMOVE, this)
        self._created.pop((kind, id), None)
        self._linked = [link for link in self._linked if (kind, id) not in link.ends]
        self._changed(kind, id, "delete")
        for kind_a, id_a, kind_b, id_b in neighbours:
            self.touch(kind_a, id_a)
            self.touch(kind_b, id_b)

    def link(self, joint: Joint, id_a: str, id_b: str) -> bool:
        """Add an edge and touch both ends; False when it is there already."""
        first, second = sorted((id_a, id_b)) if joint.symmetric else (id_a, id_b)
        link = _Link(joint.name, joint.a.name, first, joint.b.name, second)
        if self._is_linked(link):
            return False
        ends = {"kind_a": joint.a.name, "id_a": first, "kind_b": joint.b.name, "id_b": second}
        self.connection.execute(_LINK, {"relation": joint.name, **ends})
        self._linked.append(link)
        self.touch(joint.a.name, id_a)
        self.touch(joint.b.name, id_b)
        return True

    def _is_linked(self, link: _Link) -> bool:
        if any(end in self._created for end in link.ends):
            return link in self._linked
        same = {"r": link.relation, "a": link.a, "b": link.b}
        return self.connection.execute(_KNOWN_EDGE, same).first() is not None

    def unlink(self, joint: Joint, id_a: str, id_b: str) -> bool:
        """Remove an edge and touch both ends; False when there was none."""
        first, second = sorted((id_a, id_b)) if joint.symmetric else (id_a, id_b)
        if not self.connection.execute(_UNLINK, {"r": joint.name, "a": first, "b": second}).rowcount:
            return False
        link = _Link(joint.name, joint.a.name, first, joint.b.name, second)
        self._linked = [each for each in self._linked if each != link]
        self.touch(joint.a.name, id_a)
        self.touch(joint.b.name, id_b)
        return True

    def log(self) -> None:
        """Write down what changed."""
        rows = [{"kind": kind, "id": id, "operation": operation} for (kind, id), operation in self.changes.items()]
        if rows:
            self.connection.execute(_LOG, rows)
