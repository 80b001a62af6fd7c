"""The association families: relations of materials, read apart from their documents."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial

import msgspec

from ...wire.association_reads import MAX_OWNERS_PER_READ, MAX_ROWS_PER_PAGE, SIDES, Side
from ...wire.kinds import Route
from ..domain.materials import related_ids
from ..domain.relations import RelationEnd, ends_of, has_family
from ..http.requests import Handler, Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..storage.reader import Reader

_DEFAULT_PAGE_ROWS = 50
# Edges have no ids in the database; the ids of rows are derived from the two materials.
_NAMESPACE = uuid.UUID("8d0f4d0a-6d1e-4f57-9a53-0d6f5d3f6f0e")

Row = dict[str, object]


class _Owners(msgspec.Struct):
    """Body of a bulk read: the ids of the owners."""

    iterable: list[str]


def routes() -> Iterator[tuple[Route, Handler]]:
    """Yield three routes for each side of each family that this server has edges for."""
    for side in SIDES:
        end = next((e for e in ends_of(side.owner) if e.other is side.other and has_family(side.owner, e)), None)
        if end is not None:
            yield side.read, partial(_read, side, end)
            yield side.count, partial(_count, side, end)
            yield side.bulk, partial(_bulk, side, end)


def _rows(reader: Reader, side: Side, end: RelationEnd, id: str) -> list[Row]:
    # The edges of a kind with itself are alike on both sides: the first side lists them all.
    is_second = side.segment.startswith("additional_")
    return [
        {
            "id": str(uuid.uuid5(_NAMESPACE, f"{side.family}:{':'.join(sorted((id, other)))}")),
            side.owner_key: {"id": id},
            side.other_key: {"id": other},
        }
        for other in ([] if is_second else related_ids(reader, end, side.owner, id))
    ]


def _rows_text(rows: list[Row], *, truncated: bool = False) -> str:
    answer: Row = {"iterable": rows, "indices": {row["id"]: place for place, row in enumerate(rows)}}
    return json_text(answer | ({"truncated": True} if truncated else {}))


def _read(side: Side, end: RelationEnd, request: Request) -> str:
    """Answer a page of one owner's rows."""
    limit, offset = min(_number(request, "limit", _DEFAULT_PAGE_ROWS), MAX_ROWS_PER_PAGE), _number(request, "offset", 0)
    with request.service.store.read() as reader:
        rows = _rows(reader, side, end, request.params["id"])
    return _rows_text(rows[offset : offset + limit])


def _count(side: Side, end: RelationEnd, request: Request) -> str:
    """Answer how many rows one owner has."""
    id = request.params["id"]
    with request.service.store.read() as reader:
        return json_text({"id": id, "count": len(_rows(reader, side, end, id))})


def _bulk(side: Side, end: RelationEnd, request: Request) -> str:
    """Answer all rows of many owners."""
    owners = list(dict.fromkeys(request.decode(_Owners).iterable))
    with request.service.store.read() as reader:
        rows = [row for id in owners[:MAX_OWNERS_PER_READ] for row in _rows(reader, side, end, id)]
    return _rows_text(rows, truncated=len(owners) > MAX_OWNERS_PER_READ)


def _number(request: Request, name: str, default: int) -> int:
    if name not in request.query:
        return default
    number = request.number(name)
    if number is None:
        raise RequestError(400, f"{name} must be a whole number, not {request.query[name][:40]!r}.")
    return number
