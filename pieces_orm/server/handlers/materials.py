"""The operations that all kinds have, each written once for the tables of the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from ...wire.closed_lists import SCORE_REASONS
from ...wire.kinds import ANCHOR, ANNOTATION, ASSET, CONVERSATION, SHARE, Kind, Verb
from ..contract import contract
from ..domain.asset_seeds import first_line
from ..domain.creation import prepare
from ..domain.documents import collection_text, references_text
from ..domain.materials import own_keys, related_ids, require_row
from ..domain.relations import RelationEnd, check_relations, end_of
from ..domain.schema_check import validated
from ..domain.seeds import SeedWriter, fixed_keys, label_of
from ..http.requests import Request
from ..http.responses import no_content, text_response
from ..json_values import json_text, object_in, referenced_id
from ..request_errors import RequestError
from ..storage.reader import Reader
from .pages import asked_ids, page_response

KindHandler = Callable[[Kind, Request], str | Response]

# Relations whose members cannot be without their owner, and are deleted with it.
_OWNED = {ANCHOR.name: ("points",), CONVERSATION.name: ("messages",), ASSET.name: ("formats", "sensitives")}


class _Value(msgspec.Struct):
    """Body of POST /tags/exists and its like."""

    value: str


def members(kind: Kind, end: RelationEnd, request: Request) -> str:
    """Answer all that one material has in one relation, in order."""
    id = request.params[kind.parameter]
    with request.service.store.read() as reader:
        require_row(reader, kind, id, kind.missing_status)
        documents = request.service.documents(reader, contents=request.contents)
        found = documents.some(end.other, related_ids(reader, end, kind, id))
    return collection_text(end.other, list(found), found.values())


def read(kind: Kind, request: Request) -> str:
    """Answer one document."""
    id = request.params[kind.parameter]

    def document() -> str | None:
        with request.service.store.read() as reader:
            return request.document(reader, kind, id)

    text = request.service.cache.get((kind.name, id, request.contents), document)
    if text is None:
        raise RequestError(kind.missing_status, f"There is no {kind.name} {id}.")
    return text


def snapshot(kind: Kind, request: Request) -> Response:
    """Answer all documents of a kind, newest first, or a page of them."""
    with request.service.store.read() as reader:
        ids, total = asked_ids(kind, "all", request, reader)
        found = request.service.documents(reader, contents=request.contents).some(kind, ids)
    return page_response(collection_text(kind, list(found), found.values()), total)


def identifiers(kind: Kind, request: Request) -> Response:
    """Answer all ids of a kind, newest first, or a page of them."""
    with request.service.store.read() as reader:
        ids, total = asked_ids(kind, "ids", request, reader)
    return page_response(references_text(kind, ids), total)


def create(kind: Kind, request: Request) -> str:
    """Create a material from its seed, or answer the one that a unique seed repeats."""
    create = prepare(kind, request.object(), unique=request.is_unique)
    with request.service.store.write() as writer:
        id, _ = create(SeedWriter(writer, request.service.settings))
        text = request.document(writer, kind, id, created=True) or ""
    # The published answer of POST /shares/create is a collection.
    return collection_text(kind, [id], [text]) if kind is SHARE else text


def update(kind: Kind, request: Request) -> str:
    """Update a material's own keys from a whole document; relations, id and created stay as they are."""
    body = request.object()
    id = referenced_id(body, f"The {kind.name} to update")
    with request.service.store.write() as writer:
        merged = validated(kind, _merged(request, kind, own_keys(require_row(writer, kind, id)), body))
        writer.update(kind.name, id, json_text(merged), label=label_of(kind, merged))
        if kind is ANNOTATION:
            # Documents of assets nest annotations whole: who shows an asset's description has to read it again.
            writer.report(ASSET.name, related_ids(writer, end_of(ANNOTATION, "assets"), ANNOTATION, id))
        return request.document(writer, kind, id) or ""


def _merged(request: Request, kind: Kind, own: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Merge an update into the own keys: null clears a key, unless it is required."""
    check_relations(kind, body)
    # A key that seeds must have, or that only the server sets, is never lost either.
    fixed = fixed_keys(kind)
    required = contract().schemas[kind.schema].required | contract().seeds.get(kind.name, {}).keys() | fixed
    sent = {name: value for name, value in body.items() if name not in fixed}
    lost = sorted(name for name in own.keys() & sent.keys() & required if sent[name] is None)
    if lost:
        raise RequestError(400, f"A {kind.name} cannot be without {', '.join(lost)}.")
    kept = own if request.service.settings.update_absent == "keep" else {n: own[n] for n in own if n in required}
    return {name: value for name, value in {**kept, **sent}.items() if value is not None}


def delete(kind: Kind, request: Request) -> Response:
    """Delete a material, its edges, and what cannot be without it."""
    id = request.params[kind.parameter]
    with request.service.store.write() as writer:
        if writer.row(kind.name, id) is not None:
            for end in (end_of(kind, key) for key in _OWNED.get(kind.name, ())):
                for other in related_ids(writer, end, kind, id):
                    writer.delete(end.other.name, other)
            writer.delete(kind.name, id)
        elif not writer.was_deleted(kind.name, id):
            raise RequestError(500, f"There is no {kind.name} {id}.")
        elif request.service.settings.second_delete == "gone":
            raise RequestError(kind.missing_status, f"The {kind.name} {id} is deleted already.")
    return text_response(id) if kind.route("delete").answer == "text" else no_content()


def increment_score(kind: Kind, request: Request) -> Response:
    """Add one to each counter that the body names."""
    id = request.params[kind.parameter]
    body = request.object()
    # The wire knows each kind in singular and plural here.
    names = (f"{kind.score}", f"{kind.score}s", kind.collection, kind.plural.replace("/", "_"))
    reasons = [reason for reason in SCORE_REASONS if any(object_in(body, name).get(reason) is True for name in names)]
    if not reasons:
        counters = ", ".join(SCORE_REASONS)
        raise RequestError(400, f'The body must be {{"{kind.score}": {{<one of {counters}>: true}}}}.')
    with request.service.store.write() as writer:
        own = own_keys(require_row(writer, kind, id))
        counts: dict[str, Any] = {"manual": 0, "automatic": 0, **object_in(own, "score")}
        own["score"] = counts | {name: int(counts.get(name) or 0) + 1 for name in ("manual", *reasons)}
        writer.update(kind.name, id, json_text(own), label=label_of(kind, own), reindex=False)
    return no_content()


def exists(kind: Kind, request: Request) -> str:
    """Answer a reference to the material with this text or url, if there is one."""
    value = request.decode(_Value).value
    with request.service.store.read() as reader:
        row = reader.labelled(kind.name, value)
    return json_text({} if row is None else {kind.name: {"id": row.id}})


def batch(kind: Kind, request: Request) -> str:
    """Answer several documents, and the ids of those that are not there."""
    return _batch(kind, request, *request.batch_ids(kind))


def newer_batch(kind: Kind, request: Request) -> str:
    """Answer like `batch`, on the route that only newer servers have."""
    return _batch(kind, request, *request.newer_batch_ids(kind))


def _batch(kind: Kind, request: Request, key: str, ids: list[str]) -> str:
    with request.service.store.read() as reader:
        contents = request.flag("transferables", default=False)
        found = request.service.documents(reader, contents=contents).some(kind, ids)
    missing = json_text([id for id in ids if id not in found])
    collection = collection_text(kind, list(found), found.values())
    return f'{{"{key}":{collection},"notFound":{missing}}}'


def rename(kind: Kind, request: Request) -> str:
    """Name an anchor after its path, or a conversation after its first message."""
    id = request.params[kind.parameter]
    with request.service.store.write() as writer:
        own = own_keys(require_row(writer, kind, id))
        own["name"] = _found_name(writer, kind, id)
        writer.update(kind.name, id, json_text(own))
        return request.document(writer, kind, id) or ""


def _found_name(reader: Reader, kind: Kind, id: str) -> str:
    end = end_of(kind, "points" if kind is ANCHOR else "messages")
    for other in related_ids(reader, end, kind, id):
        own = own_keys(require_row(reader, end.other, other))
        path = str(own.get("fullpath", "")).replace("\\", "/")
        text = object_in(object_in(own, "fragment"), "string").get("raw")
        name = path.rsplit("/", 1)[-1] or path or first_line(str(text or ""))
        if name:
            return name
    return kind.name.capitalize()


VERBS: Mapping[Verb, KindHandler] = {
    "read": read,
    "all": snapshot,
    "ids": identifiers,
    "create": create,
    "update": update,
    "delete": delete,
    "rename": rename,
    "score": increment_score,
    "exists": exists,
    "batch": batch,
}
