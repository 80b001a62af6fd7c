"""Operations that only summaries and conversations have: hierarchy, text, and conversations about a material."""

from __future__ import annotations

import msgspec

from ...values import AnnotationType, ConversationType
from ...wire.kinds import ANNOTATION, CONVERSATION, SUMMARY, Kind
from ..domain.documents import references_text
from ..domain.materials import own_keys, related_ids, require_row
from ..domain.relations import SUMMARY_HIERARCHY, RelationEnd, end_of, ends_of
from ..domain.seeds import SeedWriter
from ..http.requests import Reference, Request
from ..json_values import json_text
from ..storage.reader import EdgeSide, Reader


class _SummaryText(msgspec.Struct):
    """Body of POST /workstream_summary/update/value."""

    value: str
    workstream_summary: Reference
    annotation: Reference | None = None


def create_conversation(about: Kind, request: Request) -> str:
    """Create a conversation about one material, named after it."""
    end = next(end for end in ends_of(CONVERSATION) if end.other is about)
    with request.service.store.write() as writer:
        id = request.params[about.parameter]
        name = own_keys(require_row(writer, about, id)).get("name")
        seed_writer = SeedWriter(writer, request.service.settings)
        seed = {"type": ConversationType.COPILOT.value, **({"name": name} if name else {})}
        conversation = seed_writer.create(CONVERSATION, seed)
        seed_writer.add_edge(end, conversation, id)
    return json_text({"conversation": {"id": conversation}})


def related(end: RelationEnd, request: Request) -> str:
    """Answer the ids of a summary's children, or parents."""
    id = request.params[SUMMARY.parameter]
    with request.service.store.read() as reader:
        require_row(reader, SUMMARY, id)
        return references_text(SUMMARY, related_ids(reader, end, SUMMARY, id))


def all_in_hierarchy(side: EdgeSide, request: Request) -> str:
    """Answer the ids of all summaries that have children (side a), or parents (side b)."""
    with request.service.store.read() as reader:
        return references_text(SUMMARY, reader.owner_ids(SUMMARY.name, SUMMARY_HIERARCHY, side))


def update_text(request: Request) -> str:
    """Set a summary's text, which is an annotation of it: the one that is named, its own, or a new one."""
    body = request.decode(_SummaryText)
    id, end = body.workstream_summary.id, end_of(SUMMARY, "annotations")
    with request.service.store.write() as writer:
        require_row(writer, SUMMARY, id)
        annotation = body.annotation.id if body.annotation else _own_text(writer, related_ids(writer, end, SUMMARY, id))
        if annotation is None:
            seed_writer = SeedWriter(writer, request.service.settings)
            annotation = seed_writer.create(ANNOTATION, {"type": AnnotationType.SUMMARY.value, "text": body.value})
            seed_writer.add_edge(end, id, annotation)
        else:
            own = own_keys(require_row(writer, ANNOTATION, annotation))
            writer.update(ANNOTATION.name, annotation, json_text({**own, "text": body.value}))
        writer.touch(SUMMARY.name, id)
    return json_text({"annotation": {"id": annotation}, "workstream_summary": {"id": id}})


def _own_text(reader: Reader, annotations: list[str]) -> str | None:
    """Find the first annotation that holds a summary's text."""
    rows = reader.rows(ANNOTATION.name, annotations) if annotations else []
    return next((row.id for row in rows if own_keys(row).get("type") == AnnotationType.SUMMARY), None)
