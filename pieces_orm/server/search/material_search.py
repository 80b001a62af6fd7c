"""Searching the kinds other than assets: the words and times that a SearchInput asks for, over stored documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

from starlette.responses import Response

from ...wire.kinds import MESSAGE, SUMMARY, Kind
from ..domain.materials import own_keys, related_ids, require_row
from ..domain.relations import ends_of
from ..http.requests import Handler, Request
from ..http.responses import json_response
from ..storage.reader import Reader
from .conditions import Condition, Grammar, periods
from .limits import SearchReader, check_text, check_words, limited
from .text import fold, texts_in, words

# The key of the document in a hit, where it is not the kind's key in streams.
_KEYS = {MESSAGE.name: "message", SUMMARY.name: "summary"}
# Options of an engine for indexes that this server does not have.
_IGNORED = frozenset({"schema", "embeddings", "full_text", "workstream"})
# Scores of a text that is not the query itself, which alone is exact: it has the query in it as words, has it in it
# anywhere, or has words that begin like those of the query.
_WORDS_LIKENESS, _PART_LIKENESS, _PREFIX_LIKENESS = 0.95, 0.9, 0.8


def search(kind: Kind) -> Handler:
    """Make a handler that finds materials of a kind by a SearchInput, best first."""

    def handle(call: Request) -> Response:
        with call.service.store.read() as reader:
            return _results(call, reader, kind, reader.ids(kind.name))

    return handle


def search_related(owner: Kind, key: str) -> Handler:
    """Make a handler that finds materials of one relation of one material by a SearchInput, best first."""
    end = next(end for end in ends_of(owner) if end.key == (key,))

    def handle(call: Request) -> Response:
        with call.service.store.read() as reader:
            id = call.params[owner.parameter]
            require_row(reader, owner, id)
            return _results(call, reader, end.other, related_ids(reader, end, owner, id))

    return handle


def _results(call: Request, reader: Reader, kind: Kind, ids: Sequence[str]) -> Response:
    temporal = Grammar("temporal", periods(kind))
    engines = Grammar("engine", {"query": partial(_with_words, kind), "temporal": temporal.one}, _IGNORED)
    condition = engines.group(call.object().get("engines"))
    with limited(reader) as searching:
        found = condition(searching, set(ids))
    ranked = sorted((id for id in ids if id in found), key=found.__getitem__, reverse=True)
    documents = call.service.documents(reader, contents=call.contents).some(kind, ranked)
    key = _KEYS.get(kind.name, kind.stream)
    items = (
        f'{{"identifier":"{id}","exact":{str(found[id] >= 1).lower()},"similarity":{found[id]},"{key}":{document}}}'
        for id, document in documents.items()
    )
    return json_response(f'{{"iterable":[{",".join(items)}]}}')


def _with_words(kind: Kind, query: Any) -> Condition:
    """Make a condition that a material's own texts are a query, contain it, or begin words like all of its words."""
    phrase = fold(check_text(str(query)).strip())
    terms = check_words(words(phrase))

    def likeness(texts: Sequence[str]) -> float:
        if phrase in texts:
            return 1.0
        found = [words(text) for text in texts]
        if any(phrase in text for text in texts):
            whole = any(f" {' '.join(terms)} " in f" {' '.join(each)} " for each in found)
            return _WORDS_LIKENESS if whole else _PART_LIKENESS
        begun = bool(terms) and all(any(word.startswith(term) for each in found for word in each) for term in terms)
        return _PREFIX_LIKENESS if begun else 0.0

    def condition(reader: SearchReader, ids: AbstractSet[str]) -> Mapping[str, float]:
        rows = reader.each(reader.rows(kind.name, list(ids)))
        likenesses = {row.id: likeness([fold(text.strip()) for text in texts_in(own_keys(row))]) for row in rows}
        return {id: like for id, like in likenesses.items() if like}

    return condition
