"""Writes of one transaction, and the changes they amount to."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from .reader import Edge, Reader, Row
from .tables import StoredRelation, change, edge, material
from .timestamps import timestamp

Operation = Literal["create", "update", "delete"]
Changes = Mapping[tuple[str, str], Operation]
"""By kind and id, the operation that a transaction amounts to."""

_THIS = and_(material.c.kind == bindparam("k"), material.c.id == bindparam("i"))
_TOUCH = update(material).where(_THIS).values(updated=bindparam("now"))
_REWRITE = _TOUCH.values(document=bindparam("text"))
_RELABEL = update(material).where(_THIS).values(label=bindparam("l"))
_REMOVE = delete(material).where(_THIS)
_SAME_EDGE = and_(*(edge.c[name] == bindparam(name) for name in ("relation", "id_a", "id_b")))
_KNOWN_EDGE = select(edge.c.seq).where(_SAME_EDGE)
_REMOVE_EDGE = delete(edge).where(_SAME_EDGE)
_AT_MATERIAL = or_(
    and_(edge.c.kind_a == bindparam("k"), edge.c.id_a == bindparam("i")),
    and_(edge.c.kind_b == bindparam("k"), edge.c.id_b == bindparam("i")),
)
_NEIGHBOURS = select(edge.c.kind_a, edge.c.id_a, edge.c.kind_b, edge.c.id_b).where(_AT_MATERIAL)
_REMOVE_EDGES = delete(edge).where(_AT_MATERIAL)
_ADD, _ADD_EDGE, _LOG = insert(material), insert(edge), insert(change)


def new_id() -> str:
    """Make an id for a new material."""
    return str(uuid.uuid4())


class _StoredEdge(NamedTuple):
    """A row of the table of edges."""

    relation: str
    kind_a: str
    id_a: str
    kind_b: str
    id_b: str

    @classmethod
    def of(cls, relation: StoredRelation, id_a: str, id_b: str) -> _StoredEdge:
        """Make the row for two ids, in canonical order when the relation is symmetric."""
        first, second = sorted((id_a, id_b)) if relation.symmetric else (id_a, id_b)
        return cls(relation.name, relation.a.name, first, relation.b.name, second)

    @property
    def ends(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Kind and id of both materials."""
        return (self.kind_a, self.id_a), (self.kind_b, self.id_b)


class Writer(Reader):
    """One transaction, which collects what it changes: a deletion outranks an update.

    Materials that it created itself, and their edges, are read without asking the database.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.changes: dict[tuple[str, str], Operation] = {}
        self.rewritten: set[tuple[str, str]] = set()
        self.removed: dict[str, list[int]] = {}
        self.now = timestamp()
        self._created: dict[tuple[str, str], Row] = {}
        # By kind and id of each end: a seed may make tens of thousands. The keys of a dict are an ordered set.
        self._new_edges: defaultdict[tuple[str, str], dict[_StoredEdge, None]] = defaultdict(dict)

    def _changed(self, kind: str, id: str, operation: Operation) -> None:
        if operation == "delete" or (kind, id) not in self.changes:
            self.changes[kind, id] = operation

    def create(self, kind: str, id: str, document: str, *, label: str | None = None, created: str = "") -> None:
        """Store a new material."""
        created = created or self.now
        values = {"kind": kind, "id": id, "document": document, "label": label}
        added = self.connection.execute(_ADD, values | {"created": created, "updated": self.now})
        seq = added.inserted_primary_key
        self._created[kind, id] = Row(id, document, created, self.now, seq[0] if seq else 0)
        self._changed(kind, id, "create")

    @contextmanager
    def part(self) -> Iterator[Writer]:
        """Write a part of the transaction, which has a time of its own, and is undone alone when the block raises."""
        part = Writer(self.connection)
        with self.connection.begin_nested():
            yield part
        self._absorb(part)

    def _absorb(self, part: Writer) -> None:
        for (kind, id), operation in part.changes.items():
            self._created.pop((kind, id), None)
            self._changed(kind, id, operation)
        self._created |= part._created
        for end, edges in part._new_edges.items():
            self._new_edges[end] |= edges
        self.rewritten |= part.rewritten
        for kind, seqs in part.removed.items():
            self.removed.setdefault(kind, []).extend(seqs)

    def exists(self, kind: str, id: str) -> bool:
        """Tell whether there is a material."""
        changed = self.changes.get((kind, id))
        return changed != "delete" if changed is not None else self.row(kind, id) is not None

    def is_new(self, kind: str, id: str) -> bool:
        """Tell whether this transaction created a material, and has not rewritten it since."""
        return (kind, id) in self._created

    def row(self, kind: str, id: str) -> Row | None:
        """Return one material, None when there is none."""
        return self._created.get((kind, id)) or super().row(kind, id)

    def edges(self, kind: str, ids: Sequence[str] | None = None, *, most: int | None = None) -> Iterator[Edge]:
        """Yield the edges of materials, as in `Reader.edges`."""
        if ids is None or not all(self.is_new(kind, id) for id in ids):
            yield from super().edges(kind, ids, most=most)
            return
        for own in dict.fromkeys(ids):
            counted = Counter[tuple[str, str]]()
            for new in self._new_edges.get((kind, own), ()):
                a, b = new.ends
                for side, this, (_, other) in (("a", a, b), ("b", b, a)):
                    if this == (kind, own):
                        counted[new.relation, side] += 1
                        if most is None or counted[new.relation, side] <= most + 1:
                            yield new.relation, side, own, other

    def update(self, kind: str, id: str, document: str, *, label: str | None = None, reindex: bool = True) -> None:
        """Replace a material's own keys.

        Args:
            label: the new one; None: it stays.
            reindex: False when nothing changed that searches look at.
        """
        self.connection.execute(_REWRITE, {"k": kind, "i": id, "now": self.now, "text": document})
        if label is not None:
            self.relabel(kind, id, label)
        self._created.pop((kind, id), None)
        if reindex:
            self.rewritten.add((kind, id))
        self._changed(kind, id, "update")

    def relabel(self, kind: str, id: str, label: str) -> None:
        """Replace the value by which a material is looked up."""
        self.connection.execute(_RELABEL, {"k": kind, "i": id, "l": label})

    def touch(self, kind: str, id: str) -> None:
        """Mark a material as updated now."""
        if (kind, id) not in self.changes:
            self.connection.execute(_TOUCH, {"k": kind, "i": id, "now": self.now})
            self._changed(kind, id, "update")

    def report(self, kind: str, ids: Iterable[str]) -> None:
        """Have streams report materials whose documents changed with another material."""
        for id in ids:
            self._changed(kind, id, "update")

    def delete(self, kind: str, id: str) -> None:
        """Remove a material and its edges, and touch its neighbours."""
        this = {"k": kind, "i": id}
        row = self.row(kind, id)
        if row is not None:
            self.removed.setdefault(kind, []).append(row.seq)
        neighbours = self.connection.execute(_NEIGHBOURS, this).all()
        self.connection.execute(_REMOVE_EDGES, this)
        self.connection.execute(_REMOVE, this)
        self._created.pop((kind, id), None)
        for each in list(self._new_edges.get((kind, id), ())):
            self._forget_edge(each)
        self._changed(kind, id, "delete")
        for kind_a, id_a, kind_b, id_b in neighbours:
            self.touch(kind_a, id_a)
            self.touch(kind_b, id_b)

    def add_edge(
        self, relation: StoredRelation, id_a: str, id_b: str, *, id: str = "", created: str = "", document: str = "{}"
    ) -> bool:
        """Add an edge and touch both ends; False when it is there already.

        Args:
            id, created: of an association that exists elsewhere; empty: new, and now.
            document: the JSON text of the keys that it has beside its id, timestamps and ends.
        """
        new = _StoredEdge.of(relation, id_a, id_b)
        if self._has_edge(new):
            return False
        dates = {"created": created or self.now, "updated": created or self.now}
        self.connection.execute(_ADD_EDGE, {**new._asdict(), **dates, "id": id or new_id(), "document": document})
        for end in new.ends:
            self._new_edges[end][new] = None
        self._touch_ends(new)
        return True

    def _has_edge(self, wanted: _StoredEdge) -> bool:
        if any(end in self._created for end in wanted.ends):
            return wanted in self._new_edges.get(wanted.ends[0], ())
        return self.connection.execute(_KNOWN_EDGE, wanted._asdict()).first() is not None

    def remove_edge(self, relation: StoredRelation, id_a: str, id_b: str) -> bool:
        """Remove an edge and touch both ends; False when there was none."""
        old = _StoredEdge.of(relation, id_a, id_b)
        if not self.connection.execute(_REMOVE_EDGE, old._asdict()).rowcount:
            return False
        self._forget_edge(old)
        self._touch_ends(old)
        return True

    def _forget_edge(self, old: _StoredEdge) -> None:
        for end in old.ends:
            self._new_edges[end].pop(old, None)

    def _touch_ends(self, changed: _StoredEdge) -> None:
        for kind, id in changed.ends:
            self.touch(kind, id)

    def log(self) -> None:
        """Write the changes to the log."""
        rows = [{"kind": kind, "id": id, "operation": operation} for (kind, id), operation in self.changes.items()]
        if rows:
            self.connection.execute(_LOG, rows)
