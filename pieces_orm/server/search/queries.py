"""Queries: the materials of a kind that meet conditions, in an order, found by the database."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import ColumnElement

from ...wire.extensions import CREATED_KEY, UPDATED_KEY
from ...wire.kinds import Kind
from ..domain.documents import collection_text, references_text
from ..http.requests import Handler, Request
from ..json_values import json_text
from ..request_errors import RequestError
from ..storage.reader import Page, Selection
from ..storage.tables import material
from .limits import limited
from .query_conditions import NULL, ConditionReader, key_of

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_MAX_KEYS = 20  # of an order
# Keys of all kinds, which need not have their type named and always have a value.
_TYPES_OF_ALL = {"id": "text", "created": "moment", "updated": "moment", CREATED_KEY: "moment", UPDATED_KEY: "moment"}


class _OrderKey(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    type: Literal["text", "number", "boolean", "moment"] | None = None
    descending: bool = False


class _Query(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /{kinds}/query."""

    where: list[dict[str, Any]] = msgspec.field(default_factory=list)
    order: list[_OrderKey] = msgspec.field(default_factory=list)
    limit: _Count | None = None
    offset: _Count = 0
    answer: Literal["identifiers", "documents", "count"] = "identifiers"
    transferables: bool = False


def query(kind: Kind) -> Handler:
    """Make the handler of a kind's queries."""
    return partial(_query, kind)


def _query(kind: Kind, request: Request) -> str:
    asked = request.decode(_Query)
    conditions = ConditionReader(kind)
    tests = [conditions.read(each) for each in asked.where]
    knows_pseudo = "pseudo" in kind.route("all").query
    selection = Selection(pseudo=not knows_pseudo or "pseudo" in conditions.keys, tests=tests)
    page = Page(asked.limit, asked.offset, _order(kind, asked.order))
    with request.service.store.read() as reader:
        with limited(reader) as searching:
            if asked.answer == "count":
                return json_text({"count": searching.selected_count(kind.name, selection, page)})
            ids = searching.selected_ids(kind.name, selection, page)
        if asked.answer == "identifiers":
            return references_text(kind, ids)
        documents = request.service.documents(reader, contents=asked.transferables).some(kind, ids)
    return collection_text(kind, list(documents), documents.values())


def _order(kind: Kind, keys: Sequence[_OrderKey]) -> list[ColumnElement[Any]]:
    """Read an order: what has no value comes last, ties by creation, the newest first, at last by id."""
    if len(keys) > _MAX_KEYS:
        raise RequestError(400, f"An order has at most {_MAX_KEYS} keys, not {len(keys)}.")
    order: list[ColumnElement[Any]] = []
    for key in keys:
        found = key_of(kind, key.by, key.type or _TYPES_OF_ALL.get(key.by))
        if found is not NULL:
            order += [] if key.by in _TYPES_OF_ALL else [found.is_(None)]
            order.append(found.desc() if key.descending else found.asc())
    return [*order, material.c.created.desc(), material.c.id.asc()]
