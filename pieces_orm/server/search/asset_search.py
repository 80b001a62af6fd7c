"""Searching assets: by words with a tolerance for typos, by tags, by filters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from starlette.responses import Response

from ...wire.kinds import ASSET, TAG
from ..domain.materials import matches_query, own_keys
from ..domain.relations import ends_of
from ..http.requests import Request
from ..http.responses import json_response
from ..json_values import object_in, referenced_id
from ..refusals import RequestError
from ..storage.reader import Reader
from . import index
from .filters import Filters
from .index import COLUMNS, Entry, plain

_MATCHES = dict(zip(COLUMNS, ("TITLE", "CONTENT", "TAGS", "ANNOTATION", "WEBSITES", "PERSONS", "HINT"), strict=True))
_WORDS = re.compile(r"[^\W_]+")


@frozen
class Hit:
    """One asset found: how surely, and where."""

    id: str
    exact: bool
    score: float
    match: str


def by_query(call: Request) -> Response:
    """GET /assets/search: words, tags, or words among what has one of the tags."""
    query, tags = call.query.get("query", "").strip(), call.query.get("searchable_tags", "")
    wanted_tags = [tag.strip() for tag in tags.split(",") if tag.strip()]
    if not query and not wanted_tags:
        raise RequestError(500, "A search needs query or searchable_tags.")
    with call.service.store.read() as reader:
        if not wanted_tags:
            return _answer(call, reader, words(reader, query))
        tagged = with_tags(reader, wanted_tags)
        if not query:
            return _answer(call, reader, list(tagged.values()))
        both = [
            evolve(hit, exact=hit.exact and tagged[hit.id].exact) for hit in words(reader, query) if hit.id in tagged
        ]
        return _answer(call, reader, both)


def by_filters(call: Request) -> Response:
    """POST /assets/search: words, within a space, through filters."""
    body = call.object()
    query, casing = str(body.get("query") or "").strip(), body.get("casing") is True
    filters = Filters.of(body.get("filters"), casing=casing)
    space = _space(body.get("space"))
    if not query and not filters and space is None:
        raise RequestError(500, "A search needs a query, filters or a space.")
    with call.service.store.read() as reader:
        hits = words(reader, query, casing=casing) if query else _everything(reader)
        if space is not None:
            hits = [hit for hit in hits if hit.id in space]
        kept = filters.passing(reader, [hit.id for hit in hits])
        answer = _results(call, reader, [hit for hit in hits if hit.id in kept])
    return json_response(f'{{"results":{answer}}}')


def full_text(call: Request) -> Response:
    """GET /search/full_text: assets whose contents have all the words."""
    return _contents(call, exact=True)


def neural(call: Request) -> Response:
    """GET /search/neural_code: assets whose contents share words with the query, the closest first."""
    return _contents(call, exact=False)


def _contents(call: Request, *, exact: bool) -> Response:
    query = call.query.get("query", "").strip()
    if not query:
        raise RequestError(500, "A search needs query.")
    terms, said = _WORDS.findall(plain(query)), _tokens(query)
    with call.service.store.read() as reader:
        groups = [[token] for token in said] if exact else [said]
        found = index.entries(reader, groups if said else [], prefixes=False)
        best = max((entry.rank for entry in found), default=1.0) or 1.0
        check = all if exact else any
        hits = [
            Hit(entry.id, exact, round(entry.rank / best, 4), "CONTENT")
            for entry in found
            if check(term in _WORDS.findall(plain(entry.columns["content"])) for term in terms)
        ]
        return _answer(call, reader, hits)


def words(reader: Reader, query: str, *, casing: bool = False) -> list[Hit]:
    """The assets that a query finds: exact ones, else also beginnings of words, else mistyped words."""
    terms, said = _WORDS.findall(plain(query)), _tokens(query)
    if not terms or not said:
        return [
            Hit(entry.id, exact=True, score=1.0, match=_where(entry, [plain(query)]))
            for entry in index.literal(reader, query)
        ]
    found = index.entries(reader, [[token] for token in said], prefixes=True)
    best = max((entry.rank for entry in found), default=1.0) or 1.0
    hits = [_hit(entry, terms, query, entry.rank / best, casing=casing) for entry in found]
    if not any(hit.exact for hit in hits) and not casing:
        hits += _mistyped(reader, query, terms, {hit.id for hit in hits})
    if casing:
        hits = [hit for hit in hits if hit.exact]
    return sorted(hits, key=lambda hit: (not hit.exact, -hit.score))


def _hit(entry: Entry, terms: Sequence[str], query: str, closeness: float, *, casing: bool) -> Hit:
    if casing:
        exact = all(any(token in said for said in entry.columns.values()) for token in query.split())
    else:
        said = set(_WORDS.findall(plain("\n".join(entry.columns.values()))))
        exact = said.issuperset(terms) or any(plain(query) in plain(text) for text in entry.columns.values())
    score = 0.6 + 0.4 * closeness if exact else 0.3 + 0.3 * closeness
    return Hit(entry.id, exact, round(score, 4), _where(entry, terms))


# Words that a query may have: each is looked for in every asset.
_MOST_WORDS = 200


def _tokens(query: str) -> list[str]:
    found = index.tokens(query)
    if len(found) > _MOST_WORDS:
        raise RequestError(400, f"A query has at most {_MOST_WORDS} words, not {len(found)}.")
    return found


def _where(entry: Entry, terms: Iterable[str]) -> str:
    """The one part of an asset that has all the terms, else MULTIPLE."""
    having = [name for name in COLUMNS if all(term in plain(entry.columns[name]) for term in terms)]
    return _MATCHES[having[0]] if len(having) == 1 else "MULTIPLE"


def _mistyped(reader: Reader, query: str, terms: Sequence[str], known: set[str]) -> list[Hit]:
    """What has words like these, or has them inside of others: the latter, as scripts without spaces have, is exact."""
    groups = [index.similar_words(reader, term) for term in terms]
    if not all(groups):
        return []
    hits = []
    for entry in index.entries(reader, groups, prefixes=False):
        if entry.id in known:
            continue
        inside = _hit(entry, terms, query, 0.0, casing=False)
        if inside.exact:
            hits.append(inside)
        else:
            said = set(_WORDS.findall(plain("\n".join(entry.columns.values()))))
            likeness = [max((like for word, like in group.items() if word in said), default=0.0) for group in groups]
            score = round(0.3 * sum(likeness) / len(likeness), 4)
            hits.append(Hit(entry.id, exact=False, score=score, match="FUZZY"))
    return hits


def with_tags(reader: Reader, tags: Sequence[str]) -> dict[str, Hit]:
    """The assets that have at least one of the tags; those that have all are exact."""
    asked = {plain(tag) for tag in tags}
    end = next(end for end in ends_of(TAG) if end.key == ("assets",))
    texts = {row.id: plain(str(own_keys(row).get("text"))) for row in reader.rows(TAG.name)}
    meant = [id for id, text in texts.items() if text in asked]
    having: dict[str, set[str]] = {}
    for relation, _, tag, asset in reader.edges(TAG.name, meant):
        if relation == end.relation.name:
            having.setdefault(asset, set()).add(texts[tag])
    ranked = sorted(having.items(), key=lambda item: -len(item[1]))
    return {id: Hit(id, found == asked, round(len(found) / len(asked), 4), "TAGS") for id, found in ranked}


def _everything(reader: Reader) -> list[Hit]:
    return [Hit(id, exact=True, score=1.0, match="MULTIPLE") for id in reader.ids(ASSET.name)]


def _space(value: Any) -> set[str] | None:
    """The ids that a search is limited to; the wire misspells `identifers`."""
    if value is None:
        return None
    items = object_in(value, "identifers").get("iterable") if isinstance(value, Mapping) else None
    if not isinstance(items, list):
        raise RequestError(400, "A space has to be {identifers: {iterable: [{id}]}}.")
    return {referenced_id(item) for item in items}


def _answer(call: Request, reader: Reader, hits: Sequence[Hit]) -> Response:
    return json_response(_results(call, reader, hits))


def _results(call: Request, reader: Reader, hits: Sequence[Hit]) -> str:
    """SearchedAssets, with the assets in them."""
    documents = call.service.documents(reader, contents=call.contents)
    found = documents.some(ASSET, [hit.id for hit in hits])
    shown = [hit for hit in hits if hit.id in found and matches_query(call.query, documents.row(ASSET, hit.id))]
    items = (
        f'{{"identifier":"{hit.id}","exact":{str(hit.exact).lower()},"score":{hit.score},'
        f'"match":"{hit.match}","asset":{found[hit.id]}}}'
        for hit in shown
    )
    exact = sum(hit.exact for hit in shown)
    return f'{{"iterable":[{",".join(items)}],"suggested":{len(shown) - exact},"exact":{exact}}}'
