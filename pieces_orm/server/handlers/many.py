"""Several creations or associations in one transaction; what is wrong with one of them fails alone."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import msgspec

from ...wire.associations import association
from ...wire.extensions import MAX_ITEMS
from ...wire.kinds import Kind
from ..domain.creation import Create, prepare
from ..domain.seeds import SeedWriter
from ..http.requests import Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..storage.writer import Writer
from ..workload import stop_if_left
from .associations import change


class _Seeds(msgspec.Struct):
    """Body of POST /{kinds}/create_many."""

    seeds: list[Any]


class _Pairs(msgspec.Struct):
    """Body of POST /{kinds}/associate_many, and of disassociate_many."""

    relation: str
    pairs: list[tuple[str, str]]


def create(kind: Kind, request: Request) -> str:
    """Create materials from their seeds; the results are in the same order."""
    seeds = request.decode(_Seeds).seeds
    _check_number(seeds)
    # Slow work needs no database: the transaction stays short.
    prepared = [_prepared(kind, request, seed) for seed in seeds]
    with request.service.store.write() as writer:
        results = [_created(kind, request, writer, each) for each in prepared]
    return f'{{"results":[{",".join(results)}]}}'


def _prepared(kind: Kind, request: Request, seed: Any) -> Create | RequestError:
    stop_if_left()
    try:
        return prepare(kind, seed, unique=request.is_unique)
    except RequestError as error:
        return error


def _created(kind: Kind, request: Request, writer: Writer, create: Create | RequestError) -> str:
    try:
        if isinstance(create, RequestError):
            raise create
        with writer.part() as part:
            id, is_new = create(SeedWriter(part, request.service.settings))
            document = request.document(part, kind, id, created=True)
    except RequestError as error:
        return _failed(error)
    return f'{{"document":{document}}}' if is_new else f'{{"document":{document},"existing":true}}'


def associate(kind: Kind, present: bool, request: Request) -> str:
    """Associate materials of a kind with others by one relation, or end that; the results are in the same order."""
    body = request.decode(_Pairs)
    _check_number(body.pairs)
    row = association(kind, body.relation)
    if row is None:
        raise RequestError(400, f"No route changes the relation {body.relation[:60]!r} of a {kind.name}.")
    results = []
    with request.service.store.write() as writer:
        for owner, other in body.pairs:
            try:
                change(writer, request.service.settings, row, owner, other, present=present)
                results.append("null")
            except RequestError as error:
                results.append(_failed(error))
    return f'{{"results":[{",".join(results)}]}}'


def _failed(error: RequestError) -> str:
    return json_text({"error": {"status": error.status, "message": error.sentence}})


def _check_number(items: Sized) -> None:
    if len(items) > MAX_ITEMS:
        raise RequestError(413, f"One request takes at most {MAX_ITEMS} items, not {len(items):,}: send several.")
