"""Reads of rows and edges from one consistent state of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from attrs import field, frozen
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)

from .tables import MAYBE_PSEUDO, StoredRelation, change, edge, material

Edge = tuple[str, str, str, str]
"""(name of the relation, side, own id, other id)."""
EdgeSide = Literal["a", "b"]
DateColumn = Literal["created", "updated"]

_IDS_PER_QUERY = 400  # SQLite takes at least 999 parameters a statement

_OF_KIND = material.c.kind == bindparam("k")
_ROW = select(material.c.id, material.c.document, material.c.created, material.c.updated, material.c.seq).where(
    _OF_KIND
)
_ONE = _ROW.where(material.c.id == bindparam("i"))
_ALL = _ROW.order_by(material.c.seq.desc())
_SOME = _ROW.where(material.c.id.in_(bindparam("ids", expanding=True)))
_LABELLED = _ROW.where(material.c.label == bindparam("l")).order_by(material.c.created, material.c.id)
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
_IN_WINDOW: Mapping[DateColumn, ColumnElement[bool]] = {
    name: material.c[name].between(bindparam(f"{name}_from"), bindparam(f"{name}_to"))
    for name in ("created", "updated")
}
_AFTER_ALL_DATES = "~"
_NO_LIMIT = -1
OLDEST_FIRST = (material.c.created, material.c.seq)
NEWEST_FIRST = tuple(key.desc() for key in OLDEST_FIRST)
BY_AGE = (material.c.created, material.c.id)
_OF_RELATION = edge.c.relation == bindparam("r")
_ASSOCIATION = select(edge.c.id, edge.c.id_a, edge.c.id_b, edge.c.created, edge.c.updated, edge.c.document)
_PAIR = _ASSOCIATION.where(_OF_RELATION, edge.c.id_a == bindparam("a"), edge.c.id_b == bindparam("b"))
_BY_ID = _ASSOCIATION.where(edge.c.id.in_(bindparam("ids", expanding=True)), _OF_RELATION)
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


def _of_side(side: EdgeSide) -> ColumnElement[bool]:
    return and_(edge.c[f"kind_{side}"] == bindparam("k"), _OF_RELATION)


_SIDES: tuple[EdgeSide, EdgeSide] = ("a", "b")
_LATEST_FIRST = (edge.c.created.desc(), edge.c.seq.desc())
_OWNERS = {side: _IDS.where(material.c.id.in_(select(edge.c[f"id_{side}"]).where(_OF_RELATION))) for side in _SIDES}
_COUNT = {
    side: select(func.count()).select_from(edge).where(_of_side(side), edge.c[f"id_{side}"] == bindparam("i"))
    for side in _SIDES
}
_PAGE = {
    side: _ASSOCIATION.where(_of_side(side), edge.c[f"id_{side}"] == bindparam("i"))
    .order_by(*_LATEST_FIRST)
    .limit(bindparam("most"))
    .offset(bindparam("offset"))
    for side in _SIDES
}
_BULK = {
    side: _ASSOCIATION.where(_of_side(side), edge.c[f"id_{side}"].in_(bindparam("ids", expanding=True))).order_by(
        edge.c[f"id_{side}"], *_LATEST_FIRST
    )
    for side in _SIDES
}


def _key(function: Any, path: str) -> ColumnElement[Any]:
    """Read a key of documents; those of older databases may be nested more deeply than SQLite reads."""
    return case((func.json_valid(material.c.document) == 1, function(material.c.document, path)))


_IS_PSEUDO = and_(_OF_KIND, MAYBE_PSEUDO, _key(func.json_type, "$.pseudo") == "true")
_PSEUDO = select(material.c.seq).where(_IS_PSEUDO)
_NOT_PSEUDO = material.c.seq.not_in(_PSEUDO)
_PSEUDO_IDS = select(material.c.id).where(_IS_PSEUDO).order_by(material.c.seq.desc())
_OF_TYPE = _key(func.json_extract, "$.type") == bindparam("type")


class Row(NamedTuple):
    """One stored material: `document` is the JSON text of its own keys, without id, timestamps and relations."""

    id: str
    document: str
    created: str
    updated: str
    seq: int


class AssociationRow(NamedTuple):
    """One stored association: `document` is the JSON text of its own keys, without id, ends and timestamps."""

    id: str
    id_a: str
    id_b: str
    created: str
    updated: str
    document: str


Windows = Mapping[DateColumn, tuple[str, str]]
"""The first and the last moment of windows on dates; an empty text does not bound."""


@frozen
class Selection:
    """The materials of a kind that an answer is about.

    Args:
        windows: a date is in any of them; none of them: all.
        pseudo: with those that are only suggested.
        type: the value of their key `type`; None: any.
        tests: further conditions on rows of the table of materials.
    """

    windows: Windows = field(factory=dict)
    pseudo: bool = True
    type: str | None = None
    tests: Sequence[ColumnElement[bool]] = ()

    def of(self, kind: str, selected: Select[Any]) -> tuple[Select[Any], dict[str, str]]:
        """Restrict a statement to these materials; returns it with its parameters."""
        parameters = {"k": kind}
        selected = selected.where(_OF_KIND, *self.tests)
        if self.windows:
            selected = selected.where(or_(*(_IN_WINDOW[column] for column in self.windows)))
            parameters |= _bounds(self.windows)
        if not self.pseudo:
            selected = selected.where(_NOT_PSEUDO)
        if self.type is not None:
            selected = selected.where(_OF_TYPE)
            parameters["type"] = self.type
        return selected, parameters


@frozen
class Page:
    """A part of a selection, in an order: at most `limit` after the first `offset`; None: all of them."""

    limit: int | None = None
    offset: int = 0
    order: Sequence[ColumnElement[Any]] = NEWEST_FIRST

    def of(self, selected: Select[Any]) -> Select[Any]:
        """Restrict a statement to this part."""
        limit = _NO_LIMIT if self.limit is None else self.limit
        return selected.order_by(*self.order).limit(limit).offset(self.offset)


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

    def selected_ids(self, kind: str, selection: Selection, page: Page) -> list[str]:
        """Return the ids of a page of a selection."""
        ids, parameters = selection.of(kind, select(material.c.id))
        return list(self.connection.scalars(page.of(ids), parameters))

    def selected_count(self, kind: str, selection: Selection, page: Page | None = None) -> int:
        """Count the materials of a selection, or of a page of it."""
        if page is None:
            count, parameters = selection.of(kind, select(func.count()).select_from(material))
        else:
            ids, parameters = selection.of(kind, select(material.c.id))
            count = select(func.count()).select_from(page.of(ids).subquery())
        return self.connection.scalar(count, parameters) or 0

    def pseudo_ids(self, kind: str) -> list[str]:
        """Return the ids of a kind's materials that are only suggested, newest first."""
        return list(self.connection.scalars(_PSEUDO_IDS, {"k": kind}))

    def last_updated(self, kind: str) -> str | None:
        """Return the id of the material of a kind that changed last."""
        found: str | None = self.connection.scalar(_LAST_UPDATED, {"k": kind})
        return found

    def labelled(self, kind: str, label: str) -> Row | None:
        """Return the material of a kind with this label; of several, the one created first, then by id."""
        return self._first(_LABELLED, {"k": kind, "l": label})

    def all_labelled(self, kind: str, label: str) -> list[Row]:
        """Return all materials of a kind with this label, in the order of `labelled`."""
        return [Row(*found) for found in self.connection.execute(_LABELLED, {"k": kind, "l": label})]

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

    def owner_ids(self, kind: str, relation: StoredRelation, side: EdgeSide) -> list[str]:
        """Return the ids of a kind that have an edge on one side of a relation, newest first."""
        return list(self.connection.scalars(_OWNERS[side], {"k": kind, "r": relation.name}))

    def association_count(self, relation: StoredRelation, side: EdgeSide, id: str) -> int:
        """Count the associations of one material on one side of a relation."""
        return self.connection.scalar(_COUNT[side], _at(relation, side) | {"i": id}) or 0

    def association_page(
        self, relation: StoredRelation, side: EdgeSide, id: str, *, limit: int, offset: int
    ) -> list[AssociationRow]:
        """Return some associations of one material on one side of a relation, the newest first."""
        parameters = _at(relation, side) | {"i": id, "most": limit, "offset": offset}
        return [AssociationRow(*found) for found in self.connection.execute(_PAGE[side], parameters)]

    def associations_of(self, relation: StoredRelation, side: EdgeSide, ids: Sequence[str]) -> Iterator[AssociationRow]:
        """Yield all associations of some materials, one material after the other, the newest of each first."""
        for part in _parts(ids):
            for found in self.connection.execute(_BULK[side], _at(relation, side) | {"ids": part}):
                yield AssociationRow(*found)

    def association(self, relation: StoredRelation, id_a: str, id_b: str) -> AssociationRow | None:
        """Return the association of two materials, None when there is none."""
        found = self.connection.execute(_PAIR, {"r": relation.name, "a": id_a, "b": id_b}).first()
        return None if found is None else AssociationRow(*found)

    def associations(self, relation: StoredRelation, ids: Sequence[str]) -> Iterator[AssociationRow]:
        """Yield the associations of a relation that have these ids, in any order."""
        for part in _parts(ids):
            for found in self.connection.execute(_BY_ID, {"r": relation.name, "ids": part}):
                yield AssociationRow(*found)

    def was_deleted(self, kind: str, id: str) -> bool:
        """Tell whether this id existed and was deleted."""
        return self.connection.execute(_DELETED, {"k": kind, "i": id}).first() is not None


def _at(relation: StoredRelation, side: EdgeSide) -> dict[str, Any]:
    return {"k": (relation.a if side == "a" else relation.b).name, "r": relation.name}


def _bounds(windows: Windows) -> dict[str, str]:
    bounds: dict[str, str] = {}
    for name, (first, last) in windows.items():
        bounds |= {f"{name}_from": first, f"{name}_to": last or _AFTER_ALL_DATES}
    return bounds


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_PER_QUERY):
        yield ids[start : start + _IDS_PER_QUERY]
