"""What is read from the database: rows and edges, of one consistent state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import Column, Connection, Executable, bindparam, func, literal, select

from .tables import change, edge, material

Edge = tuple[str, str, str, str]
"""(relation, side, own id, other id)."""

_MANY = 400  # SQLite takes at least 999 parameters a statement

_ROW = select(material.c.id, material.c.document, material.c.created, material.c.updated, material.c.seq)
_ONE = _ROW.where(material.c.kind == bindparam("k"), material.c.id == bindparam("i"))
_KIND = _ROW.where(material.c.kind == bindparam("k")).order_by(material.c.seq.desc())
_SOME = _ROW.where(material.c.kind == bindparam("k"), material.c.id.in_(bindparam("ids", expanding=True)))
_IDS = select(material.c.id).where(material.c.kind == bindparam("k")).order_by(material.c.seq.desc())
_WITHIN = {
    name: select(material.c.id).where(
        material.c.kind == bindparam("k"),
        material.c[name] >= bindparam("from_"),
        (bindparam("to_") == "") | (material.c[name] <= bindparam("to_")),
    )
    for name in ("created", "updated")
}
_LAST = select(material.c.id).where(material.c.kind == bindparam("k")).order_by(material.c.updated.desc()).limit(1)
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
_DELETED = select(change.c.seq).where(
    change.c.kind == bindparam("k"), change.c.id == bindparam("i"), change.c.operation == "delete"
)


class Row(NamedTuple):
    """One stored material: `document` is the JSON text of its own keys, without id, timestamps and relations."""

    id: str
    document: str
    created: str
    updated: str
    seq: int


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

    def ids_within(self, kind: str, stamp: str, first: str, last: str) -> set[str]:
        """The ids of a kind that were created, or updated, within bounds; an empty one bounds nothing."""
        return set(self.connection.scalars(_WITHIN[stamp], {"k": kind, "from_": first, "to_": last}))

    def last_updated(self, kind: str) -> str | None:
        """The id of the material of a kind that was changed last."""
        found: str | None = self.connection.scalar(_LAST, {"k": kind})
        return found

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


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _MANY):
        yield ids[start : start + _MANY]
