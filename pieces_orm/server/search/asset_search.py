"""Searching assets: by words with a tolerance for typos, by tags, by filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import evolve, frozen
from starlette.responses import Response

from ...wire.kinds import ASSET, TAG
from ..domain.materials import matches_query, own_keys
from ..domain.relations import linked
from ..http.requests import Request
from ..http.responses import json_response
from ..json_values import object_in, referenced_id
from ..request_errors import RequestError
from ..storage.reader import Reader
from . import index
from .filters import parse_filters
from .index import Entry
from .limits import MAX_WORDS, SearchReader, check_text, check_words, limited
from .text import fold, tokens, words

# Names of the index's columns on the wire, where they differ.
_MATCHES = {"annotations": "ANNOTATION", "hints": "HINT"}
# Scores of exact hits are from this to 1, of suggested ones from this to its double, of mistyped ones below it.
_EXACT_SCORE, _SUGGESTED_SCORE = 0.6, 0.3


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
    asked = {fold(tag.strip()) for tag in tags.split(",") if tag.strip()}
    if not query and not asked:
        raise RequestError(500, "A search needs query or searchable_tags.")
    if len(asked) > MAX_WORDS:
        raise RequestError(400, f"A search has at most {MAX_WORDS} tags, not {len(asked):,}.")
    with call.service.store.read() as reader:
        with limited(reader) as searching:
            tagged = _tag_shares(searching, asked)
            hits = [Hit(id, share == 1, round(share, 4), "TAGS") for id, share in tagged.items()]
            if query:
                hits = _with_words(searching, query)
            if query and asked:
                hits = [evolve(hit, exact=hit.exact and tagged[hit.id] == 1) for hit in hits if hit.id in tagged]
        return json_response(_results(call, reader, hits))


def by_filters(call: Request) -> Response:
    """POST /assets/search: words, within a space, through filters."""
    body = call.object()
    query, casing = str(body.get("query") or "").strip(), body.get("casing") is True
    condition = parse_filters(body.get("filters"), casing=casing)
    space = _space(body.get("space"))
    if not query and condition is None and space is None:
        raise RequestError(500, "A search needs a query, filters or a space.")
    with call.service.store.read() as reader:
        with limited(reader) as searching:
            if query:
                hits = _with_words(searching, query, casing=casing)
            else:
                hits = [Hit(id, exact=True, score=1.0, match="MULTIPLE") for id in reader.ids(ASSET.name)]
            kept = {hit.id for hit in hits if space is None or hit.id in space}
            met = kept if condition is None else condition(searching, kept)
        results = _results(call, reader, [hit for hit in hits if hit.id in met])
    return json_response(f'{{"results":{results}}}')


def full_text(call: Request) -> Response:
    """GET /search/full_text: assets whose contents have all the words."""
    return _in_contents(call, exact=True)


def neural(call: Request) -> Response:
    """GET /search/neural_code: assets whose contents share words with the query, the closest first."""
    return _in_contents(call, exact=False)


def _in_contents(call: Request, *, exact: bool) -> Response:
    query = call.query.get("query", "").strip()
    if not query:
        raise RequestError(500, "A search needs query.")
    asked = check_words(tokens(check_text(query)))
    with call.service.store.read() as reader:
        with limited(reader) as searching:
            found = index.matching(searching, [[token] for token in asked] if exact else [asked], column="content")
        hits = [Hit(entry.id, exact, round(entry.relevance, 4), "CONTENT") for entry in found]
        return json_response(_results(call, reader, hits))


def _with_words(reader: SearchReader, query: str, *, casing: bool = False) -> list[Hit]:
    """Find assets by a query, exactly, else also by the beginnings of words and by mistyped words."""
    phrase = fold(check_text(query))
    asked, terms = check_words(tokens(query)), check_words(words(phrase))
    if terms and asked:
        entries = index.matching(reader, [[token] for token in asked], prefixes=True)
    else:
        (text,) = check_words([query])
        entries = index.containing(reader, text)
    hits = [
        _hit(entry, entry.relevance, terms or [phrase], exact=_contains(entry, query, terms, casing=casing))
        for entry in reader.each(entries)
    ]
    if casing:
        hits = [hit for hit in hits if hit.exact]
    elif terms and not any(hit.exact for hit in hits):
        known = {hit.id for hit in hits}
        hits += [hit for hit in _with_similar_words(reader, query, terms) if hit.id not in known]
    return sorted(hits, key=lambda hit: (not hit.exact, -hit.score))


def _contains(entry: Entry, query: str, terms: Iterable[str], *, casing: bool) -> bool:
    """Tell whether an asset has all the words of a query, or the query as it is."""
    if casing:
        return all(any(token in column for column in entry.columns.values()) for token in query.split())
    phrase = fold(query)
    return _words_of(entry).issuperset(terms) or any(phrase in entry.folded(column) for column in entry.columns)


def _words_of(entry: Entry) -> set[str]:
    return {word for column in entry.columns for word in words(entry.folded(column))}


def _hit(entry: Entry, relevance: float, terms: Iterable[str], *, exact: bool) -> Hit:
    """Score an asset; its match is the one part that has all the terms, else MULTIPLE."""
    having = [column for column in entry.columns if all(term in entry.folded(column) for term in terms)]
    match = _MATCHES.get(having[0], having[0].upper()) if len(having) == 1 else "MULTIPLE"
    score = _EXACT_SCORE + (1 - _EXACT_SCORE) * relevance if exact else _SUGGESTED_SCORE * (1 + relevance)
    return Hit(entry.id, exact, round(score, 4), match)


def _with_similar_words(reader: SearchReader, query: str, terms: Sequence[str]) -> Iterator[Hit]:
    """Find assets by words like these, or with these inside, which is exact as in scripts without spaces."""
    groups = index.similar_words(reader, terms)
    for entry in reader.each(index.matching(reader, groups, ranked=False)):
        if _contains(entry, query, terms, casing=False):
            yield _hit(entry, 0.0, terms, exact=True)
        else:
            found = _words_of(entry)
            likenesses = [max((like for word, like in group.items() if word in found), default=0.0) for group in groups]
            score = _SUGGESTED_SCORE * sum(likenesses) / len(likenesses)
            yield Hit(entry.id, exact=False, score=round(score, 4), match="FUZZY")


def _tag_shares(reader: SearchReader, asked: set[str]) -> dict[str, float]:
    """Tell which share of some tags assets have, of those that have any; the largest first."""
    rows = reader.rows(TAG.name) if asked else []
    texts = {row.id: fold(str(own_keys(row).get("text"))) for row in reader.each(rows)}
    having: dict[str, set[str]] = {}
    for _, tag, asset in linked(reader, TAG, ["assets"], [id for id, text in texts.items() if text in asked]):
        having.setdefault(asset, set()).add(texts[tag])
    ranked = sorted(having.items(), key=lambda item: -len(item[1]))
    return {id: len(found) / len(asked) for id, found in ranked}


def _space(value: Any) -> set[str] | None:
    """Read the ids that a search is limited to; the wire misspells `identifers`."""
    items = object_in(value, "identifers").get("iterable")
    if value is None:
        return None
    if not isinstance(items, list):
        raise RequestError(400, "A space has to be {identifers: {iterable: [{id}]}}.")
    return {referenced_id(item) for item in items}


def _results(call: Request, reader: Reader, hits: Sequence[Hit]) -> str:
    """Build SearchedAssets, with the assets in them."""
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
