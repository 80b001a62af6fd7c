"""The association families: the relations of materials, read apart from their documents."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import msgspec
from starlette.responses import Response

from ...wire.association_reads import OWNERS, PAGE, SIDES, Side
from ..domain.relations import End, ends_of, has_family
from ..http.answers import Call, Handler, RefusedError, json_answer
from ..storage.reader import Reader
from .materials import others

_DEFAULT_PAGE = 50
_NAMESPACE = uuid.UUID("8d0f4d0a-6d1e-4f57-9a53-0d6f5d3f6f0e")

Row = dict[str, object]


def routes() -> Iterator[tuple[str, str, Handler]]:
    """Three routes for each side of each family that this server has edges for."""
    for side in SIDES:
        end = next((e for e in ends_of(side.owner) if e.other is side.other and has_family(side.owner, e)), None)
        if end is not None:
            yield side.read.method, side.read.path, _read(side, end)
            yield side.count.method, side.count.path, _count(side, end)
            yield side.bulk.method, side.bulk.path, _bulk(side, end)


def _rows(reader: Reader, side: Side, end: End, id: str) -> list[Row]:
    second = side.segment.startswith("additional_")
    # The edges of a kind with itself are alike on both sides: the first side tells them all.
    ids = [] if second else others(reader, end, side.owner, id)
    return [
        {
            "id": str(uuid.uuid5(_NAMESPACE, f"{side.family}:{':'.join(sorted((id, other)))}")),
            side.owner_key: {"id": id},
            side.other_key: {"id": other},
        }
        for other in ids
    ]


def _answer(rows: list[Row], *, truncated: bool = False) -> Response:
    answer: dict[str, object] = {"iterable": rows, "indices": {row["id"]: place for place, row in enumerate(rows)}}
    return json_answer(msgspec.json.encode(answer | ({"truncated": True} if truncated else {})))


def _read(side: Side, end: End) -> Handler:
    def handle(call: Call) -> Response:
        limit, offset = min(_number(call, "limit", _DEFAULT_PAGE), PAGE), _number(call, "offset", 0)
        with call.service.store.read() as reader:
            rows = _rows(reader, side, end, call.params["id"])
        return _answer(rows[offset : offset + limit])

    return handle


def _count(side: Side, end: End) -> Handler:
    def handle(call: Call) -> Response:
        id = call.params["id"]
        with call.service.store.read() as reader:
            count = len(_rows(reader, side, end, id))
        return json_answer(msgspec.json.encode({"id": id, "count": count}))

    return handle


def _bulk(side: Side, end: End) -> Handler:
    def handle(call: Call) -> Response:
        asked = call.object().get("iterable")
        if not isinstance(asked, list) or not all(isinstance(id, str) for id in asked):
            raise RefusedError(400, "iterable has to be a list of ids.")
        owners = list(dict.fromkeys(asked))
        with call.service.store.read() as reader:
            rows = [row for id in owners[:OWNERS] for row in _rows(reader, side, end, id)]
        return _answer(rows, truncated=len(owners) > OWNERS)

    return handle


def _number(call: Call, name: str, default: int) -> int:
    if name not in call.query:
        return default
    number = call.number(name)
    if number is None:
        raise RefusedError(400, f"{name} has to be a whole number, not {call.query[name][:40]!r}.")
    return number
