"""Read the ids of relations that newer servers leave out of documents, from their association families."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..documents import answers, decoding
from ..errors import NotFoundError, ResponseError
from ..model.relation import Relation
from ..transport.connection import Connection
from ..wire import association_reads
from ..wire.closed_lists import NO_SUCH_ROUTE


def read_related_ids(
    connection: Connection, relation: Relation[Any], ids: Sequence[str]
) -> dict[str, tuple[str, ...]] | None:
    """Read the ids of a relation of some materials from its association family; None where the server has none.

    Requests: one GET for each 500 of one material; one POST for each 200 materials.

    Raises:
        NotFoundError: the family has answered before, so this 404 is about a material, or a proxy's.
    """
    sides = association_reads.sides_of(relation.owner._schema.kind, relation.name, relation.target._schema.kind)
    found: dict[str, dict[str, None]] = {id: {} for id in ids}
    for side in sides:
        route = side.read if len(ids) == 1 else side.bulk
        rows = _rows_of_one(connection, side, ids[0]) if len(ids) == 1 else _rows_of_many(connection, side, ids)
        try:
            listed = list(rows)
        except ResponseError as error:
            is_missing = error.status in NO_SUCH_ROUTE
            if not is_missing or (isinstance(error, NotFoundError) and connection.had(route.path)):
                raise
            return None
        connection.has(route.path)
        # Rows come newest first; documents list the oldest first.
        for owner_id, other_id in reversed(listed):
            if owner_id in found:
                found[owner_id][other_id] = None
    return {id: tuple(others) for id, others in found.items()} if sides else None


def _rows_of_one(connection: Connection, side: association_reads.Side, id: str) -> Iterator[tuple[str, str]]:
    offset = 0
    seen: set[tuple[str, str]] = set()
    while True:
        query = {"limit": association_reads.MAX_ROWS_PER_PAGE, "offset": offset, "transferables": False}
        data = connection.call(side.read, {"id": id}, query)
        rows, number = answers.association_rows(data, side.owner_keys, side.other_keys)
        new = [row for row in rows if row not in seen]
        yield from new
        seen.update(new)
        offset += number
        # A server that does not know offsets sends the first page again and again.
        if number < association_reads.MAX_ROWS_PER_PAGE or not new:
            return


def _rows_of_many(
    connection: Connection, side: association_reads.Side, ids: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for start in range(0, len(ids), association_reads.MAX_OWNERS_PER_READ):
        body = decoding.encode({"iterable": list(ids[start : start + association_reads.MAX_OWNERS_PER_READ])})
        data = connection.call(side.bulk, body=body, repeatable=True)
        yield from answers.association_rows(data, side.owner_keys, side.other_keys)[0]
