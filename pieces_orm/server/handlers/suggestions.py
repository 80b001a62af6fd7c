"""Which assets go with others: related, recommended, and the suggestions that are streamed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from starlette.responses import Response

from ...wire.kinds import ANCHOR, ANNOTATION, ASSET, PERSON, TAG, WEBSITE
from ..domain.documents import collection_text
from ..domain.materials import is_pseudo
from ..domain.relations import ends_of
from ..http.requests import Request
from ..http.responses import json_response
from ..json_values import json_text, object_in
from ..refusals import RequestError
from ..search import index
from ..search.index import plain
from ..service import Service
from ..storage.reader import Reader
from .streams import Stream, Taken, changes_stream

# What two assets share, and how much that says.
_SHARED = {TAG.name: 3.0, WEBSITE.name: 3.0, ANCHOR.name: 2.0, PERSON.name: 1.5, ANNOTATION.name: 1.0}
_WORD = 0.25
_MOST_WORDS = 12.0  # however long two texts are, words never count for more than this
_RESULTS = 20
_SUGGESTIONS = 5
_IDENTIFIER = re.compile(r"[^\W\d_]{4,}")


# Candidates that are looked at closely, and words that are looked for in all assets: the rarest.
_CANDIDATES = 500
_LOOKED_FOR = 40


def _ranked(reader: Reader, given: Mapping[str, float]) -> list[tuple[str, float]]:
    """Other assets by what they share with the given ones, whose weights are `given`; pseudo assets are none.

    Only those are looked at that share a material, or one of the words that few assets have.
    """
    linked = _linked(reader, given)
    shared = _sharing(reader, linked, given)
    said = _words(reader, list(given))
    rarity = index.frequencies(reader, set().union(*said.values()))
    rare = sorted((word for word, number in rarity.items() if number > 1), key=lambda word: rarity[word])
    worded = index.having(reader, rare[:_LOOKED_FOR], _CANDIDATES)
    near = sorted(shared, key=lambda each: -shared[each])[:_CANDIDATES]
    words = _words(reader, list(dict.fromkeys([*near, *worded])))
    scores = {
        id: shared.get(id, 0.0) + sum(given[other] * _likeness(own & said[other], rarity) for other in said)
        for id, own in words.items()
        if id not in given
    }
    return sorted(((id, score) for id, score in scores.items() if score > 0), key=lambda item: -item[1])


def _likeness(common: AbstractSet[str], rarity: Mapping[str, int]) -> float:
    """What common words count: one that many assets have says little."""
    return min(sum(_WORD / rarity[word] * 4 for word in common if word in rarity), _MOST_WORDS)


def _linked(reader: Reader, given: Mapping[str, float]) -> dict[tuple[str, str], dict[str, float]]:
    """What the given assets are linked to that others may be too: by kind and id, the weights of those given."""
    kinds = {end.relation.name: end.other.name for end in ends_of(ASSET) if end.other.name in _SHARED}
    found: dict[tuple[str, str], dict[str, float]] = {}
    for relation, _, asset, other in reader.edges(ASSET.name, list(given)):
        if relation in kinds:
            found.setdefault((kinds[relation], other), {})[asset] = given[asset]
    return found


def _sharing(
    reader: Reader, linked: Mapping[tuple[str, str], Mapping[str, float]], given: Mapping[str, float]
) -> dict[str, float]:
    """The assets that are linked to the same, and what that counts."""
    scores: Counter[str] = Counter()
    joints = {end.other.name: end.relation.name for end in ends_of(ASSET) if end.other.name in _SHARED}
    for kind, weight in _SHARED.items():
        ids = [id for owner, id in linked if owner == kind]
        for relation, _, own, asset in reader.edges(kind, ids):
            if relation == joints[kind] and asset not in given:
                scores[asset] += weight * sum(linked[kind, own].values())  # type: ignore[assignment]
    return dict(scores)


def _words(reader: Reader, ids: Sequence[str]) -> dict[str, AbstractSet[str]]:
    """The words of some assets, without those that are pseudo."""
    rows = [row for row in reader.rows(ASSET.name, ids) if not is_pseudo(row)] if ids else []
    columns = index.columns_of(reader, rows)
    texts = {row.id: columns.get(row.id, {}) for row in rows}
    return {
        id: set(_IDENTIFIER.findall(plain(each.get("title", "") + " " + each.get("content", ""))))
        for id, each in texts.items()
    }


def related(call: Request) -> Response:
    """GET /assets/related: what goes with the assets in the body, never one of them."""
    return _assets(call, dict.fromkeys(_named(_body(call)), 1.0))


def recommended(call: Request) -> Response:
    """GET /assets/recommended: what goes with the assets in the body, those most interacted with counting most."""
    body = _body(call)
    given = dict.fromkeys(_named(body.get("assets") or body), 1.0)
    interactions = object_in(body, "interactions").get("iterable")
    for item in interactions if isinstance(interactions, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("asset"), str):
            # Viewed, touched, scrolled: each says as much as being in the list at all.
            kinds = sum(bool(value) for value in object_in(item, "interactions").values())
            given[item["asset"]] = given.get(item["asset"], 0.0) + 1.0 + kinds
    return _assets(call, given)


def _body(call: Request) -> dict[str, Any]:
    """The body; many HTTP clients, the official one among them, send none with a GET, which names nothing."""
    return call.object() if call.body else {"iterable": []}


def _named(value: Any) -> list[str]:
    """The ids in a collection of assets."""
    items = value.get("iterable") if isinstance(value, Mapping) else None
    if not isinstance(items, list):
        raise RequestError(400, "The body has to hold assets, as {iterable: [{id}]}.")
    return [item["id"] for item in items if isinstance(item, Mapping) and isinstance(item.get("id"), str)]


def _assets(call: Request, given: Mapping[str, float]) -> Response:
    with call.service.store.read() as reader:
        ids = [id for id, _ in _ranked(reader, given)][:_RESULTS]
        found = call.service.documents(reader, contents=call.contents).some(ASSET, ids)
    return json_response(collection_text(ASSET, list(found), found.values()))


def stream() -> Stream:
    """What goes with the asset changed last, told again whenever assets or what joins them change."""
    told = frozenset({ASSET.name, *_SHARED})

    def frame(service: Service, _taken: Taken | None) -> str:
        with service.store.read() as reader:
            newest = reader.last_updated(ASSET.name)
            ids = [] if newest is None else [id for id, _ in _ranked(reader, {newest: 1.0})][:_SUGGESTIONS]
        return json_text({"iterable": _suggestions(ids), "types": [{"asset": True}]})

    return changes_stream(told, frame)


def _suggestions(ids: Iterable[str]) -> list[dict[str, Any]]:
    return [{"asset": {"id": id}} for id in ids]
