"""The association families: relations of materials, read apart from their documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec
from attrs import frozen

from ...wire.association_reads import DEFAULT_PAGE_ROWS, FAMILIES, MAX_OWNERS_PER_READ, MAX_ROWS_PER_PAGE, Family, Side
from ...wire.kinds import Route
from ..domain.relations import family_relation
from ..http.requests import Handler, Reference, Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..storage.reader import AssociationRow, EdgeSide
from ..storage.tables import StoredRelation

Row = dict[str, object]


class _Owners(msgspec.Struct):
    """Body of a bulk read: the ids of the owners."""

    iterable: list[str]


class _References(msgspec.Struct):
    iterable: list[Reference]


class _Associations(msgspec.Struct):
    """Body of a batch read: the ids of rows."""

    associations: _References


@frozen
class _StoredFamily:
    """A family, and the relation whose edges are its rows.

    Attributes:
        key_a, key_b: the keys of a row for the ids at the two sides of the relation.
    """

    family: Family
    relation: StoredRelation
    key_a: str
    key_b: str

    @classmethod
    def of(cls, family: Family) -> _StoredFamily:
        """Find the relation of a family."""
        relation, (first, second) = family_relation(family), family.sides
        a, b = (first, second) if relation.a is first.owner else (second, first)
        return cls(family, relation, a.owner_key, b.owner_key)

    def stored_side(self, side: Side) -> EdgeSide:
        """Return the side of the relation that one side of the family is; of a kind with itself, `x` is a."""
        return "a" if side.owner_key == self.key_a else "b"

    def row(self, found: AssociationRow) -> Row:
        """Build one row; what an edge has of its own takes no place of an id or a date."""
        row: Row = {
            "id": found.id,
            "created": {"value": found.created},
            "updated": {"value": found.updated},
            self.key_a: found.id_a,
            self.key_b: found.id_b,
        }
        return row if found.document == "{}" else {**msgspec.json.decode(found.document), **row}


def routes() -> Iterator[tuple[Route, Handler]]:
    """Yield the routes of every family: three for each side, that of a pair, and that of ids."""
    for family in FAMILIES:
        stored = _StoredFamily.of(family)
        for side in family.sides:
            yield side.read, partial(_page, stored, side)
            yield side.count, partial(_count, stored, side)
            yield side.bulk, partial(_bulk, stored, side)
        yield family.pair, partial(_pair, stored)
        yield family.batch, partial(_batch, stored)


def _collection(rows: Sequence[Row]) -> Row:
    return {"iterable": rows, "indices": {row["id"]: place for place, row in enumerate(rows)}}


def _page(stored: _StoredFamily, side: Side, request: Request) -> str:
    """Answer a page of one owner's rows, the newest first."""
    limit = min(max(_number(request, "limit", DEFAULT_PAGE_ROWS), 1), MAX_ROWS_PER_PAGE)
    offset = max(_number(request, "offset", 0), 0)
    at, id = (stored.relation, stored.stored_side(side)), request.params["id"]
    with request.service.store.read() as reader:
        rows = [stored.row(found) for found in reader.association_page(*at, id, limit=limit, offset=offset)]
        total = reader.association_count(*at, id) if stored.family.with_totals else 0
    totals = {"limit": limit, "offset": offset, "total": total} if stored.family.with_totals else {}
    return json_text(_collection(rows) | totals)


def _count(stored: _StoredFamily, side: Side, request: Request) -> str:
    """Answer how many rows one owner has."""
    id = request.params["id"]
    with request.service.store.read() as reader:
        return json_text({"id": id, "count": reader.association_count(stored.relation, stored.stored_side(side), id)})


def _bulk(stored: _StoredFamily, side: Side, request: Request) -> str:
    """Answer all rows of many owners."""
    owners = list(dict.fromkeys(request.decode(_Owners).iterable))
    with request.service.store.read() as reader:
        found = reader.associations_of(stored.relation, stored.stored_side(side), owners[:MAX_OWNERS_PER_READ])
        rows = [stored.row(each) for each in found]
    truncated: Row = {"truncated": True} if len(owners) > MAX_OWNERS_PER_READ else {}
    return json_text(_collection(rows) | truncated)


def _pair(stored: _StoredFamily, request: Request) -> str:
    """Answer the one row of two materials; of a kind with itself, in either order."""
    first, second = request.params["first"], request.params["second"]
    in_order = stored.stored_side(stored.family.sides[0]) == "a"
    a, b = (first, second) if in_order else (second, first)
    with request.service.store.read() as reader:
        found = reader.association(stored.relation, *(sorted((a, b)) if stored.relation.symmetric else (a, b)))
    if found is None:
        kinds = " and ".join(
            f"{side.owner.name} {id}" for side, id in zip(stored.family.sides, (first, second), strict=True)
        )
        raise RequestError(404, f"There is no association of {kinds}.")
    return json_text(stored.row(found))


def _batch(stored: _StoredFamily, request: Request) -> str:
    """Answer rows by their ids, and references to those that are not there."""
    ids = list(dict.fromkeys(each.id for each in request.decode(_Associations).associations.iterable))
    with request.service.store.read() as reader:
        rows = {found.id: stored.row(found) for found in reader.associations(stored.relation, ids)}
    missing: list[Row] = [{"id": id} for id in ids if id not in rows]
    found = _collection([rows[id] for id in ids if id in rows])
    return json_text({"associations": found, "notFound": _collection(missing)})


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    # SQLite takes no larger ones.
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise RequestError(400, f"{name} must be a whole number, not {text[:40]!r}.")
    return int(text)
