"""Which assets go with others: related, recommended, and the suggestions that are streamed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import Any

from starlette.responses import Response

from ...wire.kinds import ASSET
from ..domain.documents import collection_text
from ..domain.materials import is_pseudo
from ..domain.relations import ends_of, linked
from ..http.requests import Request
from ..http.responses import json_response
from ..json_values import json_text, object_in
from ..request_errors import RequestError
from ..search import index
from ..service import Service
from ..storage.reader import Reader
from .streams import Stream, Taken, changes_stream

# Weights of a link to the same material, by an asset's key for it.
_LINK_SCORES = {"tags": 3.0, "websites": 3.0, "anchors": 2.0, "persons": 1.5, "annotations": 1.0}
_LINK_KINDS = {end.key[0]: end.other for end in ends_of(ASSET) if end.key[0] in _LINK_SCORES}
# Weight of a common word that no other asset has, and the most that all words can add, however long the texts.
_WORD_SCORE, _MAX_WORDS_SCORE = 1.0, 12.0
_WORD = re.compile(r"[^\W\d_]{4,}")
# Candidates that are compared closely, and words that are looked for in all assets: the rarest.
_MAX_CANDIDATES, _MAX_RARE_WORDS = 500, 40
_MAX_RESULTS, _MAX_SUGGESTIONS = 20, 5
_MAX_GIVEN = 200  # assets that others are compared with


def _ranked(reader: Reader, given: Mapping[str, float], limit: int) -> list[str]:
    """Rank other assets by what they share with the given ones, each of which counts by its weight.

    Only assets that share a material, or one of the words that few have, are compared. Pseudo assets are left out.
    """
    named, given = given.keys(), {id: given[id] for id in nlargest(_MAX_GIVEN, given, key=given.__getitem__)}
    scores = _link_scores(reader, given)
    given_words = _words(reader, index.entries(reader, list(given)))
    frequencies = index.frequencies(reader, set().union(*given_words.values()))
    rare = sorted((word for word, count in frequencies.items() if count > 1), key=lambda word: frequencies[word])
    with_rare = index.matching(reader, [rare[:_MAX_RARE_WORDS]], limit=_MAX_CANDIDATES)
    near = index.entries(reader, nlargest(_MAX_CANDIDATES, scores, key=scores.__getitem__))
    candidates = _words(reader, [*near, *with_rare])
    for id, words in candidates.items():
        for other, said in given_words.items():
            score = sum(_WORD_SCORE / frequencies[word] for word in words & said if word in frequencies)
            scores[id] += given[other] * min(score, _MAX_WORDS_SCORE)
    found = [id for id in candidates if id not in named and scores[id] > 0]
    return nlargest(limit, found, key=scores.__getitem__)


def _link_scores(reader: Reader, given: Mapping[str, float]) -> defaultdict[str, float]:
    """Score other assets by the materials that they and the given ones are linked to."""
    weights: defaultdict[tuple[str, str], float] = defaultdict(float)
    for key, asset, other in linked(reader, ASSET, _LINK_SCORES, list(given)):
        weights[key, other] += given[asset]
    scores: defaultdict[str, float] = defaultdict(float)
    for key, score in _LINK_SCORES.items():
        ids = [id for linked_by, id in weights if linked_by == key]
        for _, other, asset in linked(reader, _LINK_KINDS[key], ["assets"], ids):
            if asset not in given:
                scores[asset] += score * weights[key, other]
    return scores


def _words(reader: Reader, entries: Sequence[index.Entry]) -> dict[str, set[str]]:
    """Collect the words in titles and contents of assets, without those that are pseudo."""
    rows = reader.rows(ASSET.name, [entry.id for entry in entries])
    shown = {row.id for row in rows if not is_pseudo(row)}
    return {
        entry.id: set(_WORD.findall(f"{entry.folded('title')} {entry.folded('content')}"))
        for entry in entries
        if entry.id in shown
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
    """Decode the body; many HTTP clients, the official one among them, send none with a GET, which names nothing."""
    return call.object() if call.body else {"iterable": []}


def _named(value: Any) -> list[str]:
    """List the ids in a collection of assets."""
    items = value.get("iterable") if isinstance(value, Mapping) else None
    if not isinstance(items, list):
        raise RequestError(400, "The body has to hold assets, as {iterable: [{id}]}.")
    return [item["id"] for item in items if isinstance(item, Mapping) and isinstance(item.get("id"), str)]


def _assets(call: Request, given: Mapping[str, float]) -> Response:
    with call.service.store.read() as reader:
        ids = _ranked(reader, given, _MAX_RESULTS)
        found = call.service.documents(reader, contents=call.contents).some(ASSET, ids)
    return json_response(collection_text(ASSET, list(found), found.values()))


def stream() -> Stream:
    """Make the stream of what goes with the asset changed last, sent whenever assets or their links change."""
    kinds = frozenset({ASSET.name, *(kind.name for kind in _LINK_KINDS.values())})

    def frame(service: Service, _taken: Taken | None) -> str:
        with service.store.read() as reader:
            newest = reader.last_updated(ASSET.name)
            ids = [] if newest is None else _ranked(reader, {newest: 1.0}, _MAX_SUGGESTIONS)
        return json_text({"iterable": [{"asset": {"id": id}} for id in ids], "types": [{"asset": True}]})

    return changes_stream(kinds, frame)
