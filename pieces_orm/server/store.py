"""The database: materials, the edges between them, and a log of changes, durable when a write returns."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Executable,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from . import database
from .answers import RefusedError
from .joints import Joint
from .times import stamp

Operation = Literal["create", "update", "delete"]
Changes = Mapping[tuple[str, str], Operation]
Listener = Callable[[Changes], None]
Edge = tuple[str, str, str, str]
"""(relation, side, own id, other id)."""

_MANY = 400  # SQLite takes at least 999 parameters a statement
_KEPT_CHANGES = 100_000

metadata = MetaData()

material = Table(
    "material",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("updated", Text, nullable=False),
    # What the material is looked up by besides its id: a tag's text, a website's url, a point's path.
    Column("label", Text),
    UniqueConstraint("kind", "id"),
    Index("material_label", "kind", "label"),
)
edge = Table(
    "edge",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("relation", Text, nullable=False),
    Column("kind_a", Text, nullable=False),
    Column("id_a", Text, nullable=False),
    Column("kind_b", Text, nullable=False),
    Column("id_b", Text, nullable=False),
    UniqueConstraint("relation", "id_a", "id_b"),
    # Covering: edges are read from these alone, in the order in which they were made.
    Index("edge_a", "kind_a", "id_a", "relation", "seq", "id_b"),
    Index("edge_b", "kind_b", "id_b", "relation", "seq", "id_a"),
)
change = Table(
    "change",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Index("change_of", "kind", "id"),
    sqlite_autoincrement=True,
)

_ROW = select(material.c.id, material.c.document, material.c.created, material.c.updated, material.c.seq)
_ONE = _ROW.where(material.c.kind == bindparam("k"), material.c.id == bindparam("i"))
_KIND = _ROW.where(material.c.kind == bindparam("k")).order_by(material.c.seq.desc())
_SOME = _ROW.where(material.c.kind == bindparam("k"), material.c.id.in_(bindparam("ids", expanding=True)))
_IDS = select(material.c.id).where(material.c.kind == bindparam("k")).order_by(material.c.seq.desc())
_LABELLED = _ROW.where(material.c.kind == bindparam("k"), material.c.label == bindparam("l")).order_by(material.c.seq)


def _side(name: str, own: str, other: str, *where: Any, few: bool = False) -> Executable:
    """The edges of one side: of each material and relation the oldest first; with `few`, `most` and one of each."""
    kind, mine = edge.c[f"kind_{name}"], edge.c[own]
    edges = select(edge.c.relation, literal(name).label("side"), mine.label("own"), edge.c[other].label("other"))
    edges = edges.where(kind == bindparam("k"), *where)
    order = (mine, edge.c.relation, edge.c.seq)
    if not few:
        return edges.order_by(*order)
    place = func.row_number().over(partition_by=order[:2], order_by=order[2]).label("place")
    placed = edges.add_columns(place).subquery()
    kept = select(placed.c.relation, placed.c.side, placed.c.own, placed.c.other)
    return kept.where(placed.c.place <= bindparam("most") + 1).order_by(placed.c.own, placed.c.relation, placed.c.place)


def _sides(wanted: Literal["all", "one", "some"], *, few: bool) -> tuple[Executable, Executable]:
    """The edges of all materials of a kind, of the one whose id is `i`, or of those whose ids are `ids`."""

    def where(own: Column[str]) -> list[Any]:
        some = own.in_(bindparam("ids", expanding=True))
        return [] if wanted == "all" else [own == bindparam("i")] if wanted == "one" else [some]

    a, b = where(edge.c.id_a), where(edge.c.id_b)
    return _side("a", "id_a", "id_b", *a, few=few), _side("b", "id_b", "id_a", *b, few=few)


_EDGES = {(wanted, few): _sides(wanted, few=few) for wanted in ("all", "one", "some") for few in (False, True)}

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
_DELETED = select(change.c.seq).where(
    change.c.kind == bindparam("k"), change.c.id == bindparam("i"), change.c.operation == "delete"
)
_ADD, _LINK, _LOG = insert(material), insert(edge), insert(change)


class Row(NamedTuple):
    """One stored material: `document` is the JSON text of its own keys, without id, timestamps and relations."""

    id: str
    document: str
    created: str
    updated: str
    seq: int


def new_id() -> str:
    """An id for a new material."""
    return str(uuid.uuid4())


class Reader:
    """Reads of one consistent state of the database."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def row(self, kind: str, id: str) -> Row | None:
        """One material, None when there is none."""
        found = self.connection.execute(_ONE, {"k": kind, "i": id}).first()
        return None if found is None else Row(*found)

    def rows(self, kind: str, ids: Sequence[str] | None = None) -> list[Row]:
        """Materials of a kind, newest first; of `ids` those that exist, in no order."""
        if ids is None:
            return [Row(*found) for found in self.connection.execute(_KIND, {"k": kind})]
        if len(ids) == 1:
            found = self.row(kind, ids[0])
            return [] if found is None else [found]
        return [
            Row(*found) for part in _parts(ids) for found in self.connection.execute(_SOME, {"k": kind, "ids": part})
        ]

    def ids(self, kind: str) -> list[str]:
        """The ids of a kind, newest first."""
        return list(self.connection.scalars(_IDS, {"k": kind}))

    def labelled(self, kind: str, label: str) -> Row | None:
        """The oldest material of a kind with this label."""
        found = self.connection.execute(_LABELLED, {"k": kind, "l": label}).first()
        return None if found is None else Row(*found)

    def edges(self, kind: str, ids: Sequence[str] | None = None, *, most: int | None = None) -> Iterator[Edge]:
        """The edges of materials, in each relation the oldest first; with `most`, only that many and one of each."""
        few = most is not None
        if ids is None:
            asked: list[tuple[str, dict[str, Any]]] = [("all", {})]
        elif len(ids) == 1:
            asked = [("one", {"i": ids[0]})]
        else:
            asked = [("some", {"ids": part}) for part in _parts(ids)]
        for wanted, parameters in asked:
            for side in _EDGES[wanted, few]:
                for row in self.connection.execute(side, {"k": kind, "most": most, **parameters}):
                    yield row[0], row[1], row[2], row[3]

    def was_deleted(self, kind: str, id: str) -> bool:
        """Whether this id existed and was deleted."""
        return self.connection.execute(_DELETED, {"k": kind, "i": id}).first() is not None


class Writer(Reader):
    """One transaction; collects what it changes, deletion over update over nothing."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.changes: dict[tuple[str, str], Operation] = {}
        self.rewritten: set[tuple[str, str]] = set()
        self.removed: dict[str, list[int]] = {}
        self.now = stamp()

    def _changed(self, kind: str, id: str, operation: Operation) -> None:
        if operation == "delete" or (kind, id) not in self.changes:
            self.changes[kind, id] = operation

    def create(self, kind: str, id: str, document: str, *, label: str | None = None, created: str = "") -> None:
        """Store a new material."""
        values = {"kind": kind, "id": id, "document": document, "label": label}
        self.connection.execute(_ADD, values | {"created": created or self.now, "updated": self.now})
        self._changed(kind, id, "create")

    def update(self, kind: str, id: str, document: str, *, label: str | None = None, words: bool = True) -> None:
        """Replace a material's own keys; `words` tells whether what searches look at may have changed."""
        values = {"k": kind, "i": id, "now": self.now, "text": document, "l": label}
        self.connection.execute(_REWRITE, values)
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
        self._changed(kind, id, "delete")
        for kind_a, id_a, kind_b, id_b in neighbours:
            self.touch(kind_a, id_a)
            self.touch(kind_b, id_b)

    def link(self, joint: Joint, id_a: str, id_b: str) -> bool:
        """Add an edge and touch both ends; False when it is there already."""
        first, second = sorted((id_a, id_b)) if joint.symmetric else (id_a, id_b)
        same = {"r": joint.name, "a": first, "b": second}
        if self.connection.execute(_KNOWN_EDGE, same).first() is not None:
            return False
        ends = {"kind_a": joint.a.name, "id_a": first, "kind_b": joint.b.name, "id_b": second}
        self.connection.execute(_LINK, {"relation": joint.name, **ends})
        self.touch(joint.a.name, id_a)
        self.touch(joint.b.name, id_b)
        return True

    def unlink(self, joint: Joint, id_a: str, id_b: str) -> bool:
        """Remove an edge and touch both ends; False when there was none."""
        first, second = sorted((id_a, id_b)) if joint.symmetric else (id_a, id_b)
        if not self.connection.execute(_UNLINK, {"r": joint.name, "a": first, "b": second}).rowcount:
            return False
        self.touch(joint.a.name, id_a)
        self.touch(joint.b.name, id_b)
        return True

    def log(self) -> None:
        """Write down what changed."""
        rows = [{"kind": kind, "id": id, "operation": operation} for (kind, id), operation in self.changes.items()]
        if rows:
            self.connection.execute(_LOG, rows)


class Store:
    """One database file, or memory: any number of readers, one writer at a time."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else Path(path)
        self._writing = threading.RLock()
        self._engine = database.engine(self.path)
        self._listener: Listener | None = None
        self._lock = None if self.path is None else database.Lock(self.path)
        self.read_only = False
        self.upgraded = ""
        # In memory there is one connection, which readers and writers share.
        self._reading = self._writing if self.path is None else None
        self.prepare: Callable[[Connection], None] = lambda _: None
        self.settle: Callable[[Writer], None] = lambda _: None

    def open(self, listener: Listener) -> None:
        """Create what is missing; `listener` hears of every commit, in order.

        Raises:
            NotRunningError: the file cannot be opened, is no Pieces database, is a newer one's, or another server's.
        """
        self._listener = listener
        if self._lock is not None:
            self._lock.take()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        found, steps, kept = database.Found(None), database.STEPS, None
        if self.path is not None:
            found = database.look(self.path)
            kept = database.prepare_upgrade(self.path, found, steps=steps)
        try:
            if self.path is not None and not self.path.exists():
                database.make(self.path)
            with self._engine.begin() as connection:
                database.upgrade(connection, found, steps=steps)
                metadata.create_all(connection)
                self.prepare(connection)
                newest = connection.scalar(select(func.max(change.c.seq))) or 0
                connection.execute(delete(change).where(change.c.seq < newest - _KEPT_CHANGES))
        except (OSError, SQLAlchemyError) as error:
            if kept is not None:
                kept.unlink()  # all was rolled back: the file is as it was
            raise database.cannot_open(self.path, error) from error
        if kept is not None:
            versions = f"from version {found.version} to {len(steps)}"
            self.upgraded = f"The database {self.path} was upgraded {versions}; as it was: {kept}"

    @property
    def idle(self) -> bool:
        """Whether a read would begin at once: in a file always, in memory when nobody writes."""
        if self._reading is None:
            return True
        free = self._reading.acquire(blocking=False)
        if free:
            self._reading.release()
        return free

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """One consistent state, whatever is written meanwhile."""
        if self._reading is None:
            with self._engine.connect() as connection, connection.begin():
                yield Reader(connection)
            return
        with self._reading, self._engine.connect() as connection, connection.begin():
            yield Reader(connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """One transaction: on disk when the block ends, nothing when it raises.

        Raises:
            RefusedError: 403, the store is read-only.
        """
        if self.read_only:
            raise RefusedError(403, "This server is read-only: nothing can be created, changed or deleted.")
        with self._writing:
            with self._engine.begin() as connection:
                writer = Writer(connection)
                yield writer
                self.settle(writer)
                writer.log()
            # Within the lock, so that listeners hear of commits in their order.
            if self._listener is not None and writer.changes:
                self._listener(writer.changes)

    @contextmanager
    def rehearse(self) -> Iterator[Writer]:
        """A transaction that leaves nothing behind: what it would have said is said."""
        with self._writing, self._engine.connect() as connection, connection.begin() as transaction:
            yield Writer(connection)
            transaction.rollback()

    def close(self) -> None:
        """Wait for the writer, close every connection, and let another server have the file."""
        with self._writing:
            self._engine.dispose()
            if self._lock is not None:
                self._lock.release()


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _MANY):
        yield ids[start : start + _MANY]
