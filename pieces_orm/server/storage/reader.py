"""Reads of rows and edges from one consistent state of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Executable, bindparam, func, literal, select

from .tables import change, edge, material

Edge = tuple[str, str, str, str]
"""(name of the relation, side, own id, other id)."""

_IDS_PER_QUERY = 400  # SQLite takes at least 999 parameters a statement

_OF_KIND = material.c.kind == bindparam("k")
_ROW = select(material.c.id, material.c.document, material.c.created, material.c.updated, material.c.seq).where(
    _OF_KIND
)
_ONE = _ROW.where(material.c.id == bindparam("i"))
_ALL = _ROW.order_by(material.c.seq.desc())
_SOME = _ROW.where(material.c.id.in_(bindparam("ids", expanding=True)))
_LABELLED = _ROW.where(material.c.label == bindparam("l")).order_by(material.c.seq)
_IDS = select(material.c.id).where(_OF_KIND).order_by(material.c.seq.desc())
_LAST_UPDATED = select(material.c.id).where(_OF_KIND).order_by(material.c.updated.desc()).limit(1)
_IDS_WITHIN = {
    name: select(material.c.id).where(
        _OF_KIND,
        material.c[name] >= bindparam("from_"),
        (bindparam("to_") == "") | (material.c[name] <= bindparam("to_")),
    )
    for name in ("created", "updated")
}
_DELETED = select(change.c.seq).where(
    change.c.kind == bindparam("k"), change.c.id == bindparam("i"), change.c.operation == "delete"
)

_Selected = Literal["all", "one", "some"]


def _edges(side: str, other_side: str, selected: _Selected, *, limited: bool) -> Executable:
    """Select the edges of one side, per material and relation the oldest first.

    Args:
        selected: of all materials of kind `k`, of the one with id `i`, or of those with `ids`.
        limited: per material and relation only `most` edges and one more.
    """
    own, other = edge.c[f"id_{side}"], edge.c[f"id_{other_side}"]
    edges = select(edge.c.relation, literal(side).label("side"), own.label("own"), other.label("other"))
    edges = edges.where(edge.c[f"kind_{side}"] == bindparam("k"))
    if selected == "one":
        edges = edges.where(own == bindparam("i"))
    elif selected == "some":
        edges = edges.where(own.in_(bindparam("ids", expanding=True)))
    if not limited:
        return edges.order_by(own, edge.c.relation, edge.c.seq)
    place = func.row_number().over(partition_by=(own, edge.c.relation), order_by=edge.c.seq).label("place")
    placed = edges.add_columns(place).subquery()
    kept = select(placed.c.relation, placed.c.side, placed.c.own, placed.c.other)
    return kept.where(placed.c.place <= bindparam("most") + 1).order_by(placed.c.own, placed.c.relation, placed.c.place)


_EDGES = {
    (selected, limited): (_edges("a", "b", selected, limited=limited), _edges("b", "a", selected, limited=limited))
    for selected in ("all", "one", "some")
    for limited in (False, True)
}


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
        """Return one material, None when there is none."""
        return self._first(_ONE, {"k": kind, "i": id})

    def rows(self, kind: str, ids: Sequence[str] | None = None) -> list[Row]:
        """Return the materials of a kind, newest first; with `ids`, those that exist, in any order."""
        if ids is None:
            return [Row(*found) for found in self.connection.execute(_ALL, {"k": kind})]
        if len(ids) == 1:
            return [found] if (found := self.row(kind, ids[0])) else []
        return [
            Row(*found) for part in _parts(ids) for found in self.connection.execute(_SOME, {"k": kind, "ids": part})
        ]

    def ids(self, kind: str) -> list[str]:
        """Return the ids of a kind, newest first."""
        return list(self.connection.scalars(_IDS, {"k": kind}))

    def ids_within(self, kind: str, column: str, first: str, last: str) -> set[str]:
        """Return the ids of a kind whose `created` or `updated` is within bounds; an empty bound does not bound."""
        return set(self.connection.scalars(_IDS_WITHIN[column], {"k": kind, "from_": first, "to_": last}))

    def last_updated(self, kind: str) -> str | None:
        """Return the id of the material of a kind that changed last."""
        found: str | None = self.connection.scalar(_LAST_UPDATED, {"k": kind})
        return found

    def labelled(self, kind: str, label: str) -> Row | None:
        """Return the oldest material of a kind with this label."""
        return self._first(_LABELLED, {"k": kind, "l": label})

    def _first(self, statement: Executable, parameters: dict[str, str]) -> Row | None:
        found = self.connection.execute(statement, parameters).first()
        return None if found is None else Row(*found)

    def edges(self, kind: str, ids: Sequence[str] | None = None, *, most: int | None = None) -> Iterator[Edge]:
        """Yield the edges of materials, per relation the oldest first.

        Args:
            ids: of these materials; None: of all of the kind.
            most: per material and relation at most so many and one more; None: all.
        """
        asked: list[tuple[_Selected, dict[str, Any]]]
        if ids is None:
            asked = [("all", {})]
        elif len(ids) == 1:
            asked = [("one", {"i": ids[0]})]
        else:
            asked = [("some", {"ids": part}) for part in _parts(ids)]
        for selected, parameters in asked:
            for statement in _EDGES[selected, most is not None]:
                found = self.connection.execute(statement, {"k": kind, "most": most, **parameters})
                for relation, side, own, other in found:  # noqa: UP028 a type checker does not know rows as tuples
                    yield relation, side, own, other

    def was_deleted(self, kind: str, id: str) -> bool:
        """Tell whether this id existed and was deleted."""
        return self.connection.execute(_DELETED, {"k": kind, "i": id}).first() is not None


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_PER_QUERY):
        yield ids[start : start + _IDS_PER_QUERY]
