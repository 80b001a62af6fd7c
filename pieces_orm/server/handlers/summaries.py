"""Material routes beyond those that all kinds have: what is made of others, value updates, hierarchy, metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from ...wire.kinds import ANNOTATION, ASSET, CONVERSATION, FORMAT, MESSAGE, SUMMARY, Kind, Route
from ..domain.documents import references_text, text_of
from ..domain.relations import FAMILY, Side, ends_of
from ..domain.seeds import Planter
from ..http.answers import Call, Handler, RefusedError, json_answer, part
from ..search import material_search
from ..storage.reader import Reader
from . import materials
from .assets import recast
from .materials import others, own_keys, present


def _single(call: Call, reader: Reader, kind: Kind) -> str:
    id = call.params[kind.parameter]
    present(reader, kind, id)
    return id


def conversation_from(kind: Kind) -> Handler:
    """A new conversation about one material, named after it."""
    end = next(end for end in ends_of(CONVERSATION) if end.other is kind)

    def handle(call: Call) -> Response:
        with call.service.store.write() as writer:
            id = _single(call, writer, kind)
            name = own_keys(present(writer, kind, id)).get("name")
            planter = Planter(writer, call.service.settings)
            made = planter.create(CONVERSATION, {"type": "COPILOT", **({"name": name} if name else {})})
            planter.link(end, made, id)
        return json_answer(text_of({"conversation": {"id": made}}))

    return handle


def related(side: Side) -> Handler:
    """The ids of a summary's children or parents."""
    end = next(end for end in ends_of(SUMMARY) if end.joint is FAMILY and end.side == side)

    def handle(call: Call) -> Response:
        with call.service.store.read() as reader:
            ids = others(reader, end, SUMMARY, _single(call, reader, SUMMARY))
        return json_answer(references_text(SUMMARY, ids))

    return handle


def all_related(side: Side) -> Handler:
    """The ids of all summaries that are a child, or a parent, of another."""

    def handle(call: Call) -> Response:
        with call.service.store.read() as reader:
            edges = reader.edges(SUMMARY.name)
            found = {own for relation, own_side, own, _ in edges if relation == FAMILY.name and own_side == side}
            ids = [id for id in reader.ids(SUMMARY.name) if id in found]
        return json_answer(references_text(SUMMARY, ids))

    return handle


def update_summary(call: Call) -> Response:
    """The text of a summary, which is an annotation of it: the one that is named, its own, or a new one."""
    body = call.object()
    value, id, named = body.get("value"), part(body, "workstream_summary").get("id"), part(body, "annotation").get("id")
    if not isinstance(value, str) or not isinstance(id, str) or not isinstance(named, str | None):
        raise RefusedError(400, "The body has to be {workstream_summary: {id}, value}, with texts as ids and value.")
    end = next(end for end in ends_of(SUMMARY) if end.key == ("annotations",))
    with call.service.store.write() as writer:
        present(writer, SUMMARY, id)
        annotation = named or _own_text(writer, others(writer, end, SUMMARY, id))
        if annotation is None:
            planter = Planter(writer, call.service.settings)
            annotation = planter.create(ANNOTATION, {"type": "SUMMARY", "text": value})
            planter.link(end, id, annotation)
        else:
            own = own_keys(present(writer, ANNOTATION, annotation))
            writer.update(ANNOTATION.name, annotation, text_of({**own, "text": value}))
        writer.touch(SUMMARY.name, id)
    return json_answer(text_of({"annotation": {"id": annotation}, "workstream_summary": {"id": id}}))


def _own_text(reader: Reader, annotations: list[str]) -> str | None:
    """The first annotation that holds a summary's text."""
    rows = reader.rows(ANNOTATION.name, annotations) if annotations else []
    return next((row.id for row in rows if own_keys(row).get("type") == "SUMMARY"), None)


def reclassify_format(call: Call) -> Response:
    """Another language for a format; images keep theirs."""
    body = call.object()
    ext, id = body.get("ext"), part(body, "format").get("id")
    if not isinstance(ext, str) or not isinstance(id, str):
        raise RefusedError(400, "The body has to be {ext, format}, the format with its id.")
    with call.service.store.write() as writer:
        recast(writer, id, ext)
        text = call.service.documents(writer, contents=call.contents).one(FORMAT, id)
    return json_answer(text or "")


def _classified(reader: Reader) -> list[tuple[str, Mapping[str, Any]]]:
    return [(row.id, own_keys(row)["classification"]) for row in reader.rows(FORMAT.name)]


def format_metrics(call: Call) -> Response:
    """The formats of each language."""
    found: dict[tuple[str, str], list[str]] = {}
    with call.service.store.read() as reader:
        for id, classification in _classified(reader):
            found.setdefault((classification["generic"], classification["specific"]), []).append(id)
    items = [{"generic": g, "specific": s, "identifiers": ids} for (g, s), ids in found.items()]
    return json_answer(text_of({"iterable": items}))


def ordered_metrics(call: Call) -> Response:
    """Languages, the one with the most formats first."""
    with call.service.store.read() as reader:
        counted = Counter(classification["specific"] for _, classification in _classified(reader))
    return json_answer(text_of({"ordered": [specific for specific, _ in counted.most_common()]}))


ROUTES: Mapping[Route, Handler] = {
    Route("POST", "/asset/{asset}"): materials.read(ASSET),
    Route("GET", "/asset/{asset}/activities"): materials.members(ASSET, "activities"),
    Route("POST", "/conversation/{conversation}/search"): material_search.search_related(CONVERSATION, "messages"),
    Route("POST", "/conversations/create/from_asset/{asset}"): conversation_from(ASSET),
    Route("POST", "/conversations/create/from_workstream_summary/{workstream_summary}"): conversation_from(SUMMARY),
    Route("POST", "/message/update/value"): materials.update(MESSAGE),
    Route("POST", "/workstream_summary/update/value"): update_summary,
    Route("POST", "/format/reclassify"): reclassify_format,
    Route("GET", "/workstream_summary/{workstream_summary}/child/identifiers"): related("a"),
    Route("GET", "/workstream_summary/{workstream_summary}/parent/identifiers"): related("b"),
    Route("GET", "/workstream_summaries/child/identifiers"): all_related("b"),
    Route("GET", "/workstream_summaries/parent/identifiers"): all_related("a"),
    Route("GET", "/metrics/formats"): format_metrics,
    Route("GET", "/metrics/formats/ordered"): ordered_metrics,
}
