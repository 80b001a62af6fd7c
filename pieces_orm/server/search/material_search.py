"""Searching the kinds other than assets: the words and times that a SearchInput asks for, over stored documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from starlette.responses import Response

from ...wire.kinds import MESSAGE, SUMMARY, Kind
from ..domain.materials import own_keys, related_ids, require_row
from ..domain.relations import ends_of
from ..http.requests import Handler, Request
from ..http.responses import json_response
from ..json_values import object_in
from ..refusals import RequestError
from ..storage.reader import Reader, Row
from ..storage.timestamps import normalize_timestamp
from .index import plain

_WORDS = re.compile(r"[^\W_]+")
# The key of the document in a hit, where it is not the kind's key in streams.
_KEYS = {MESSAGE.name: "message", SUMMARY.name: "summary"}


@frozen
class Subject:
    """One material as engines see it: its row and every text in its own keys."""

    row: Row
    said: str


Engine = Callable[[Subject], float]
"""How like a subject is to what is asked, from 0 (not at all) to 1 (exactly)."""


def search(kind: Kind) -> Handler:
    """The materials of a kind that a SearchInput finds, best first."""

    def handle(call: Request) -> Response:
        with call.service.store.read() as reader:
            return _found(call, reader, kind, reader.rows(kind.name))

    return handle


def within(owner: Kind, key: str) -> Handler:
    """The materials of one relation of one material that a SearchInput finds, best first."""
    end = next(end for end in ends_of(owner) if end.key == (key,))

    def handle(call: Request) -> Response:
        with call.service.store.read() as reader:
            id = call.params[owner.parameter]
            require_row(reader, owner, id)
            ids = related_ids(reader, end, owner, id)
            return _found(call, reader, end.other, reader.rows(end.other.name, ids) if ids else [])

    return handle


def _found(call: Request, reader: Reader, kind: Kind, rows: Sequence[Row]) -> Response:
    engine = _combined(call.object().get("engines"))
    found = [(engine(_subject(row)), row.id) for row in rows]
    ranked = sorted((hit for hit in found if hit[0] > 0), key=lambda hit: -hit[0])
    texts = call.service.documents(reader, contents=call.contents).some(kind, [id for _, id in ranked])
    key = _KEYS.get(kind.name, kind.stream)
    items = (
        f'{{"identifier":"{id}","exact":{str(like >= 1).lower()},"similarity":{like},"{key}":{texts[id]}}}'
        for like, id in ranked
    )
    return json_response(f'{{"iterable":[{",".join(items)}]}}')


def _subject(row: Row) -> Subject:
    return Subject(row, plain("\n".join(_texts(own_keys(row)))))


def _texts(value: Any) -> Iterator[str]:
    """Every text within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _combined(value: Any) -> Engine:
    """Several engines: with OR the best counts, otherwise the worst."""
    listed = value.get("iterable") if isinstance(value, Mapping) else None
    if not isinstance(listed, list) or not listed:
        raise RequestError(400, "The body has to be {engines: {iterable: [{query}]}} with at least one engine.")
    engines = [_engine(one) for one in listed]
    combine = max if value.get("type") == "OR" else min
    return lambda subject: combine(engine(subject) for engine in engines)


def _engine(value: Any) -> Engine:
    """One engine: everything that it says has to be true."""
    parts: list[Engine] = []
    if isinstance(value, Mapping):
        if value.get("query"):
            parts.append(_words(str(value["query"])))
        if isinstance(value.get("temporal"), Mapping):
            parts += [
                _within(name, value["temporal"][name]) for name in ("created", "updated") if value["temporal"].get(name)
            ]
        if value.get("operations"):
            parts.append(_combined(value["operations"]))
    if not parts:
        raise RequestError(400, "An engine needs query, temporal or operations.")
    return lambda subject: min(part(subject) for part in parts)


def _words(query: str) -> Engine:
    """1 when the query occurs as it is, less when only words that begin so do, 0 when one word does not."""
    phrase = plain(query)
    terms = _WORDS.findall(phrase)

    def like(subject: Subject) -> float:
        if phrase in subject.said:
            return 1.0
        words = _WORDS.findall(subject.said)
        if not terms or not all(any(word.startswith(term) for word in words) for term in terms):
            return 0.0
        return 0.8

    return like


def _within(name: str, bounds: Any) -> Engine:
    """1 within inclusive bounds."""
    ends = {end: normalize_timestamp(object_in(bounds, end).get("value")) for end in ("from", "to")}

    def like(subject: Subject) -> float:
        moment: str = getattr(subject.row, name)
        return float(moment >= ends["from"] and (not ends["to"] or moment <= ends["to"]))

    return like
