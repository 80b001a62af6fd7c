"""Which assets go with others: related, recommended, and the suggestions that are streamed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen
from starlette.responses import Response

from pieces_orm.endpoints import ANCHOR, ANNOTATION, ASSET, PERSON, TAG, WEBSITE

from . import search_index
from .answers import Call, RefusedError, json_answer, part
from .documents import collection_text, text_of
from .joints import ends_of
from .materials import pseudo
from .reader import Reader
from .search_index import plain
from .service import Service
from .streams import Stream, Taken, changes_stream

# What two assets share, and how much that says.
_SHARED = {TAG.name: 3.0, WEBSITE.name: 3.0, ANCHOR.name: 2.0, PERSON.name: 1.5, ANNOTATION.name: 1.0}
_WORD = 0.25
_MOST_WORDS = 12.0  # however long two texts are, words never count for more than this
_RESULTS = 20
_SUGGESTIONS = 5
_IDENTIFIER = re.compile(r"[^\W\d_]{4,}")


@frozen
class Traits:
    """What an asset has that another may have too."""

    linked: frozenset[str]
    words: frozenset[str]


def _traits(reader: Reader) -> tuple[dict[str, Traits], Mapping[str, float]]:
    """The traits of all assets that are not pseudo, newest first, and what each linked material counts."""
    rows = [row for row in reader.rows(ASSET.name) if not pseudo(row)]
    columns = search_index.columns_of(reader, rows)
    weights = {end.joint.name: _SHARED[end.other.name] for end in ends_of(ASSET) if end.other.name in _SHARED}
    linked: dict[str, set[str]] = {row.id: set() for row in rows}
    counts: dict[str, float] = {}
    for relation, _, asset, other in reader.edges(ASSET.name):
        if relation in weights and asset in linked:
            linked[asset].add(other)
            counts[other] = weights[relation]
    return {row.id: Traits(frozenset(linked[row.id]), _words(columns.get(row.id, {}))) for row in rows}, counts


def _words(columns: Mapping[str, str]) -> frozenset[str]:
    return frozenset(_IDENTIFIER.findall(plain(columns.get("title", "") + " " + columns.get("content", ""))))


def _ranked(
    traits: Mapping[str, Traits], counts: Mapping[str, float], given: Mapping[str, float]
) -> list[tuple[str, float]]:
    """Other assets by what they share with the given ones, whose weights are `given`."""
    common = Counter(word for one in traits.values() for word in one.words)
    scores: dict[str, float] = {}
    for id, one in traits.items():
        if id in given:
            continue
        for other, weight in given.items():
            if other in traits:
                shared = sum(counts[link] for link in one.linked & traits[other].linked)
                # A word that many assets have says little.
                said = sum(_WORD / common[word] * 4 for word in one.words & traits[other].words)
                scores[id] = scores.get(id, 0.0) + weight * (shared + min(said, _MOST_WORDS))
    return sorted(((id, score) for id, score in scores.items() if score > 0), key=lambda item: -item[1])


def related(call: Call) -> Response:
    """GET /assets/related: what goes with the assets in the body, never one of them."""
    return _assets(call, dict.fromkeys(_named(_body(call)), 1.0))


def recommended(call: Call) -> Response:
    """GET /assets/recommended: what goes with the assets in the body, those most interacted with counting most."""
    body = _body(call)
    given = dict.fromkeys(_named(body.get("assets") or body), 1.0)
    interactions = part(body, "interactions").get("iterable")
    for item in interactions if isinstance(interactions, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("asset"), str):
            # Viewed, touched, scrolled: each says as much as being in the list at all.
            kinds = sum(bool(value) for value in part(item, "interactions").values())
            given[item["asset"]] = given.get(item["asset"], 0.0) + 1.0 + kinds
    return _assets(call, given)


def _body(call: Call) -> dict[str, Any]:
    """The body; many HTTP clients, the official one among them, send none with a GET, which names nothing."""
    return call.object() if call.body else {"iterable": []}


def _named(value: Any) -> list[str]:
    """The ids in a collection of assets."""
    items = value.get("iterable") if isinstance(value, Mapping) else None
    if not isinstance(items, list):
        raise RefusedError(400, "The body has to hold assets, as {iterable: [{id}]}.")
    return [item["id"] for item in items if isinstance(item, Mapping) and isinstance(item.get("id"), str)]


def _assets(call: Call, given: Mapping[str, float]) -> Response:
    with call.service.store.read() as reader:
        ids = [id for id, _ in _ranked(*_traits(reader), given)][:_RESULTS]
        found = call.service.documents(reader, contents=call.contents).some(ASSET, ids)
    return json_answer(collection_text(ASSET, list(found), found.values()))


def stream() -> Stream:
    """What goes with the asset changed last, told again whenever assets or what joins them change."""
    told = frozenset({ASSET.name, *_SHARED})

    def frame(service: Service, _taken: Taken | None) -> str:
        with service.store.read() as reader:
            newest = max(reader.rows(ASSET.name), key=lambda row: row.updated, default=None)
            ids: Sequence[str] = ()
            if newest is not None:
                ids = [id for id, _ in _ranked(*_traits(reader), {newest.id: 1.0})][:_SUGGESTIONS]
        return text_of({"iterable": _suggestions(ids), "types": [{"asset": True}]})

    return changes_stream(told, frame)


def _suggestions(ids: Iterable[str]) -> list[dict[str, Any]]:
    return [{"asset": {"id": id}} for id in ids]
