"""The database: materials, the edges between them, and a log of changes, durable when a write returns."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from pieces_orm.errors import NotRunningError

from .joints import Joint
from .times import stamp

Operation = Literal["create", "update", "delete"]
Changes = Mapping[tuple[str, str], Operation]
Listener = Callable[[Changes], None]

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
    Index("edge_a", "kind_a", "id_a"),
    Index("edge_b", "kind_b", "id_b"),
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
_SIDE_A = select(edge.c.relation, edge.c.id_a, edge.c.id_b).where(edge.c.kind_a == bindparam("k"))
_SIDE_B = select(edge.c.relation, edge.c.id_b, edge.c.id_a).where(edge.c.kind_b == bindparam("k"))
_SOME_A = _SIDE_A.where(edge.c.id_a.in_(bindparam("ids", expanding=True))).order_by(edge.c.seq)
_SOME_B = _SIDE_B.where(edge.c.id_b.in_(bindparam("ids", expanding=True))).order_by(edge.c.seq)
_ALL_A, _ALL_B = _SIDE_A.order_by(edge.c.seq), _SIDE_B.order_by(edge.c.seq)


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

    def edges(self, kind: str, ids: Sequence[str] | None = None) -> Iterator[tuple[str, str, str, str]]:
        """The edges of materials of a kind, oldest first, as (relation, side, own id, other id)."""
        for side, every, some in (("a", _ALL_A, _SOME_A), ("b", _ALL_B, _SOME_B)):
            if ids is None:
                for relation, own, other in self.connection.execute(every, {"k": kind}):
                    yield relation, side, own, other
                continue
            for part in _parts(ids):
                for relation, own, other in self.connection.execute(some, {"k": kind, "ids": part}):
                    yield relation, side, own, other

    def was_deleted(self, kind: str, id: str) -> bool:
        """Whether this id existed and was deleted."""
        gone = select(change.c.seq).where(change.c.kind == kind, change.c.id == id, change.c.operation == "delete")
        return self.connection.execute(gone).first() is not None


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
        self.connection.execute(insert(material), values | {"created": created or self.now, "updated": self.now})
        self._changed(kind, id, "create")

    def update(self, kind: str, id: str, document: str, *, label: str | None = None, words: bool = True) -> None:
        """Replace a material's own keys; `words` tells whether what searches look at may have changed."""
        where = and_(material.c.kind == kind, material.c.id == id)
        values = {"document": document, "updated": self.now, "label": label}
        self.connection.execute(update(material).where(where).values(**values))
        if words:
            self.rewritten.add((kind, id))
        self._changed(kind, id, "update")

    def touch(self, kind: str, ids: Iterable[str]) -> None:
        """Mark materials as updated now."""
        for id in ids:
            if (kind, id) not in self.changes:
                where = and_(material.c.kind == kind, material.c.id == id)
                self.connection.execute(update(material).where(where).values(updated=self.now))
                self._changed(kind, id, "update")

    def delete(self, kind: str, id: str) -> None:
        """Remove a material and its edges; its neighbours are touched."""
        touching = or_(and_(edge.c.kind_a == kind, edge.c.id_a == id), and_(edge.c.kind_b == kind, edge.c.id_b == id))
        columns = (edge.c.kind_a, edge.c.id_a, edge.c.kind_b, edge.c.id_b)
        neighbours = self.connection.execute(select(*columns).where(touching)).all()
        self.connection.execute(delete(edge).where(touching))
        row = self.row(kind, id)
        if row is not None:
            self.removed.setdefault(kind, []).append(row.seq)
        self.connection.execute(delete(material).where(material.c.kind == kind, material.c.id == id))
        self._changed(kind, id, "delete")
        for kind_a, id_a, kind_b, id_b in neighbours:
            self.touch(kind_a, [id_a])
            self.touch(kind_b, [id_b])

    def link(self, joint: Joint, id_a: str, id_b: str) -> bool:
        """Add an edge and touch both ends; False when it is there already."""
        ids = dict(zip(("id_a", "id_b"), sorted((id_a, id_b)) if joint.symmetric else (id_a, id_b), strict=True))
        same = and_(edge.c.relation == joint.name, edge.c.id_a == ids["id_a"], edge.c.id_b == ids["id_b"])
        if self.connection.execute(select(edge.c.seq).where(same)).first() is not None:
            return False
        kinds = {"relation": joint.name, "kind_a": joint.a.name, "kind_b": joint.b.name}
        self.connection.execute(insert(edge), kinds | ids)
        self.touch(joint.a.name, [id_a])
        self.touch(joint.b.name, [id_b])
        return True

    def unlink(self, joint: Joint, id_a: str, id_b: str) -> bool:
        """Remove an edge and touch both ends; False when there was none."""
        if joint.symmetric:
            id_a, id_b = sorted((id_a, id_b))
        same = and_(edge.c.relation == joint.name, edge.c.id_a == id_a, edge.c.id_b == id_b)
        if not self.connection.execute(delete(edge).where(same)).rowcount:
            return False
        self.touch(joint.a.name, [id_a])
        self.touch(joint.b.name, [id_b])
        return True

    def log(self) -> None:
        """Write down what changed."""
        rows = [{"kind": kind, "id": id, "operation": operation} for (kind, id), operation in self.changes.items()]
        if rows:
            self.connection.execute(insert(change), rows)


class Store:
    """One database file, or memory: any number of readers, one writer at a time."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else Path(path)
        self._writing = threading.RLock()
        self._engine = _engine(self.path)
        self._listener: Listener | None = None
        # In memory there is one connection, which readers and writers share.
        self._reading = self._writing if self.path is None else None
        self.prepare: Callable[[Connection], None] = lambda _: None
        self.settle: Callable[[Writer], None] = lambda _: None

    def open(self, listener: Listener) -> None:
        """Create what is missing; `listener` hears of every commit, in order.

        Raises:
            NotRunningError: the file cannot be opened as a database.
        """
        self._listener = listener
        try:
            if self.path is not None and not self.path.exists():
                self.path.touch(mode=0o600)
            with self._engine.begin() as connection:
                metadata.create_all(connection)
                self.prepare(connection)
                newest = connection.scalar(select(func.max(change.c.seq))) or 0
                connection.execute(delete(change).where(change.c.seq < newest - _KEPT_CHANGES))
        except (OSError, SQLAlchemyError) as error:
            reason = getattr(error, "orig", error)
            message = f"The database {self.path} cannot be opened: {reason}. Name a file in a folder you may write to."
            raise NotRunningError(message) from error

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
        """One transaction: on disk when the block ends, nothing when it raises."""
        with self._writing:
            with self._engine.begin() as connection:
                writer = Writer(connection)
                yield writer
                self.settle(writer)
                writer.log()
            # Within the lock, so that listeners hear of commits in their order.
            if self._listener is not None and writer.changes:
                self._listener(writer.changes)

    def close(self) -> None:
        """Wait for the writer and close every connection."""
        with self._writing:
            self._engine.dispose()


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _MANY):
        yield ids[start : start + _MANY]


def _engine(path: Path | None) -> Engine:
    if path is None:
        options: dict[str, Any] = {"poolclass": StaticPool}
        engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, **options)
    else:
        options = {"poolclass": QueuePool, "pool_size": 8, "max_overflow": -1}
        engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would begin transactions late, and a read of several queries would not be one state.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "mmap_size=268435456"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
