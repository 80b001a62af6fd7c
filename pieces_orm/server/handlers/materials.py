"""What all kinds have in common: each operation is written once, for the tables of endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from ...wire.kinds import ANCHOR, CONVERSATION, SHARE, Kind, Verb
from ..domain.documents import collection_text, references_text, text_of
from ..domain.relations import End, ends_of, relation_keys
from ..domain.schema_check import fitted
from ..domain.seeds import FIXED, REQUIRED, Planter, label_of
from ..http.answers import Call, Handler, RefusedError, json_answer, nothing, part, text_answer
from ..storage.reader import Reader, Row
from ..storage.timestamps import normal
from ..storage.writer import Writer

Maker = Callable[[Kind], Handler]

# What cannot be without its owner goes with it.
_OWNED = {
    "anchor": ("points",),
    "conversation": ("messages",),
    "asset": ("formats", "sensitives"),
}
_COUNTERS = ("reuse", "update", "reference", "priority", "searched")


def present(reader: Reader, kind: Kind, id: str, status: int = 500) -> Row:
    """The row of a material that a request needs.

    Raises:
        RefusedError: there is none; 500 is what writes on missing ids get.
    """
    row = reader.row(kind.name, id)
    if row is None:
        raise RefusedError(status, f"There is no {kind.name} {id}.")
    return row


def own_keys(row: Row) -> dict[str, Any]:
    """A row's own keys, decoded."""
    found: dict[str, Any] = msgspec.json.decode(row.document)
    return found


def others(reader: Reader, end: End, kind: Kind, id: str) -> list[str]:
    """The ids at the other side of an end."""
    return [
        other
        for relation, side, _, other in reader.edges(kind.name, [id])
        if relation == end.joint.name and end.side in {side, "both"}
    ]


def members(kind: Kind, key: str) -> Handler:
    """All that one material has in one relation, in order."""
    end = next(end for end in ends_of(kind) if end.key == (key,))

    def handle(call: Call) -> Response:
        id = call.params[kind.parameter]
        with call.service.store.read() as reader:
            present(reader, kind, id, kind.gone)
            found = call.service.documents(reader, contents=call.contents).some(
                end.other, others(reader, end, kind, id)
            )
        return json_answer(collection_text(end.other, list(found), found.values()))

    return handle


def read(kind: Kind) -> Handler:
    """One document."""

    def handle(call: Call) -> Response:
        id = call.params[kind.parameter]

        def document() -> str | None:
            with call.service.store.read() as reader:
                return call.service.documents(reader, contents=call.contents).one(kind, id)

        text = call.service.memory.get((kind.name, id, call.contents), document)
        if text is None:
            raise RefusedError(kind.gone, f"There is no {kind.name} {id}.")
        return json_answer(text)

    return handle


def snapshot(kind: Kind) -> Handler:
    """All documents of a kind, newest first."""

    def handle(call: Call) -> Response:
        with call.service.store.read() as reader:
            documents = call.service.documents(reader, contents=call.contents)
            narrowed = "pseudo" in kind.route("all").query or call.query
            ids = [id for id in documents.all(kind) if not narrowed or wanted(call, documents.row(kind, id))]
            return json_answer(collection_text(kind, ids, [documents.document(kind, id) for id in ids]))

    return handle


def identifiers(kind: Kind) -> Handler:
    """All ids of a kind, newest first."""

    def handle(call: Call) -> Response:
        with call.service.store.read() as reader:
            narrowed = "pseudo" in kind.route("ids").query or call.query
            ids = [row.id for row in reader.rows(kind.name) if wanted(call, row)] if narrowed else reader.ids(kind.name)
        return json_answer(references_text(kind, ids[: call.number("limit")]))

    return handle


def wanted(call: Call, row: Row) -> bool:
    """Whether the query of a collection or identifiers route asks for this material."""
    if pseudo(row) and not call.flag("pseudo", default=False):
        return False
    type = call.query.get("annotation_type_filter")
    if type is not None and own_keys(row).get("type") != type:
        return False
    bounds = [
        ((name, row.created if name.startswith("created") else row.updated), bound)
        for name in ("created_from", "created_to", "updated_from", "updated_to")
        if (bound := normal(call.query.get(name)))
    ]
    return not bounds or _within(dict(bounds))


def pseudo(row: Row) -> bool:
    """Whether a material is only suggested."""
    # Looked for before it is decoded: a snapshot asks this of every asset.
    return '"pseudo":true' in row.document and own_keys(row).get("pseudo") is True


def _within(bounds: Mapping[tuple[str, str], str]) -> bool:
    """Bounds are inclusive; those on created and those on updated are alternatives."""
    results: dict[str, bool] = {}
    for (name, value), bound in bounds.items():
        which, _, end = name.partition("_")
        fits = value >= bound if end == "from" else value <= bound
        results[which] = results.get(which, True) and fits
    return any(results.values())


def create(kind: Kind) -> Handler:
    """A new material from its seed."""

    def handle(call: Call) -> Response:
        with call.service.store.write() as writer:
            id = Planter(writer, call.service.settings).create(kind, call.object())
            text = call.service.documents(writer, contents=call.contents, created=True).one(kind, id)
        # The published answer of POST /shares/create is a collection.
        return json_answer(collection_text(kind, [id], [text or ""]) if kind is SHARE else text or "")

    return handle


def update(kind: Kind) -> Handler:
    """A material's own keys from a whole document; relations, id and created stay as they are."""

    def handle(call: Call) -> Response:
        body = call.object()
        id = body.get("id")
        if not isinstance(id, str):
            raise RefusedError(400, f"The document of a {kind.name} to update lacks its id.")
        with call.service.store.write() as writer:
            merged = fitted(kind, _merged(call, kind, own_keys(present(writer, kind, id)), body))
            writer.update(kind.name, id, text_of(merged), label=label_of(kind, merged))
            text = call.service.documents(writer, contents=call.contents).one(kind, id)
        return json_answer(text or "")

    return handle


def _merged(call: Call, kind: Kind, own: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The own keys after an update: null clears, and what is required is never lost."""
    required = own.keys() & _required(kind)
    left_out = FIXED | relation_keys(kind) | {"original", "preview"}
    sent = {name: value for name, value in body.items() if name not in left_out}
    nulls = {name for name in sent if sent[name] is None}
    if nulls & required:
        raise RefusedError(400, f"A {kind.name} cannot be without {', '.join(sorted(nulls & required))}.")
    kept = own if call.service.settings.update_absent == "keep" else {name: own[name] for name in required}
    return {name: value for name, value in {**kept, **sent}.items() if value is not None}


def _required(kind: Kind) -> set[str]:
    extra = {
        "score",
        "mechanism",
        "creator",
        "category",
        "accessors",
        "link",
        "short",
        "classification",
        "bytes",
        "role",
    }
    return set(REQUIRED.get(kind.name, {})) | extra - ({"mechanism"} if kind.name == "annotation" else set())


def remove(kind: Kind) -> Handler:
    """A material, its edges, and what cannot be without it."""

    def handle(call: Call) -> Response:
        id = call.params[kind.parameter]
        with call.service.store.write() as writer:
            if writer.row(kind.name, id) is not None:
                delete_whole(writer, kind, id)
            elif not writer.was_deleted(kind.name, id):
                raise RefusedError(500, f"There is no {kind.name} {id}.")
            elif call.service.settings.second_delete == "gone":
                raise RefusedError(kind.gone, f"The {kind.name} {id} is deleted already.")
        return text_answer(id) if kind.route("delete").answer == "text" else nothing()

    return handle


def delete_whole(writer: Writer, kind: Kind, id: str) -> None:
    """Delete a material and what cannot be without it."""
    for end in ends_of(kind):
        if end.key[0] in _OWNED.get(kind.name, ()):
            for other in others(writer, end, kind, id):
                writer.delete(end.other.name, other)
    writer.delete(kind.name, id)


def score(kind: Kind) -> Handler:
    """One more of each counter that is set."""

    def handle(call: Call) -> Response:
        id = call.params[kind.parameter]
        body = call.object()
        # The wire knows each kind in singular and plural here.
        names = {kind.score, f"{kind.score}s", kind.collection, kind.plural.replace("/", "_")}
        seeds = [value for name, value in body.items() if name in names and isinstance(value, dict)]
        reasons = [name for name in _COUNTERS if any(seed.get(name) is True for seed in seeds)]
        if not reasons:
            counters = ", ".join(_COUNTERS)
            raise RefusedError(400, f'The body has to be {{"{kind.score}": {{<one of {counters}>: true}}}}.')
        with call.service.store.write() as writer:
            own = own_keys(present(writer, kind, id))
            counts: dict[str, Any] = {"manual": 0, "automatic": 0, **part(own, "score")}
            for name in ("manual", *reasons):
                counts[name] = int(counts.get(name) or 0) + 1
            own["score"] = counts
            writer.update(kind.name, id, text_of(own), label=label_of(kind, own), words=False)
        return nothing()

    return handle


def exists(kind: Kind) -> Handler:
    """The material with this text or url, if there is one."""

    def handle(call: Call) -> Response:
        value = call.object().get("value")
        if not isinstance(value, str):
            raise RefusedError(400, "The body lacks value, a text.")
        with call.service.store.read() as reader:
            row = reader.labelled(kind.name, value)
        return json_answer(text_of({} if row is None else {kind.name: {"id": row.id}}))

    return handle


def reference(value: Any) -> str:
    """The id in a reference.

    Raises:
        RefusedError: 400, there is none.
    """
    id = value.get("id") if isinstance(value, dict) else None
    if not isinstance(id, str):
        raise RefusedError(400, "Each item has to be {id}, the id a text.")
    return id


def batch(kind: Kind) -> Handler:
    """Several documents in one answer, and the ids of those that are not there."""

    def handle(call: Call) -> Response:
        asked = call.object().get(kind.batch_key)
        if not isinstance(asked, dict) or not isinstance(asked.get("iterable"), list):
            raise RefusedError(400, f'The body has to be {{"{kind.batch_key}": {{"iterable": [{{"id"}}]}}}}.')
        ids = list(dict.fromkeys(reference(one) for one in asked["iterable"]))
        with call.service.store.read() as reader:
            contents = call.flag("transferables", default=False)
            found = call.service.documents(reader, contents=contents).some(kind, ids)
        missing = text_of([id for id in ids if id not in found])
        collection = collection_text(kind, list(found), found.values())
        return json_answer(f'{{"{kind.batch_key}":{collection},"notFound":{missing}}}')

    return handle


def newer_batch(kind: Kind) -> Handler:
    """The batch read that the published API does not have, for a server that is to be a newer one."""
    answer = batch(kind)

    def handle(call: Call) -> Response:
        if not call.service.settings.batch_reads:
            raise RefusedError(404, "There is no such route.")
        return answer(call)

    return handle


def rename(kind: Kind) -> Handler:
    """A name that the server finds: from an anchor's path, or a conversation's first message."""

    def handle(call: Call) -> Response:
        id = call.params[kind.parameter]
        with call.service.store.write() as writer:
            own = own_keys(present(writer, kind, id))
            own["name"] = _found_name(writer, kind, id)
            writer.update(kind.name, id, text_of(own))
            text = call.service.documents(writer, contents=call.contents).one(kind, id)
        return json_answer(text or "")

    return handle


def _found_name(reader: Reader, kind: Kind, id: str) -> str:
    key = {ANCHOR.name: "points", CONVERSATION.name: "messages"}[kind.name]
    end = next(end for end in ends_of(kind) if end.key == (key,))
    for other in others(reader, end, kind, id):
        own = own_keys(present(reader, end.other, other))
        if kind is ANCHOR:
            return str(own["fullpath"]).replace("\\", "/").rsplit("/", 1)[-1] or str(own["fullpath"])
        text = str(part(part(own, "fragment"), "string").get("raw") or "")
        line = next((line.strip() for line in text.splitlines() if line.strip()), "")
        if line:
            return line if len(line) <= 60 else line[:59] + "\N{HORIZONTAL ELLIPSIS}"
    return kind.name.capitalize()


VERBS: Mapping[Verb, Maker] = {
    "read": read,
    "all": snapshot,
    "ids": identifiers,
    "create": create,
    "update": update,
    "delete": remove,
    "rename": rename,
    "score": score,
    "exists": exists,
    "batch": batch,
}
