"""Apply a newer document to an entity in place, and tell what changed by it.

Called under the session's lock. Slices are compared first, decoded values where slices differ: a timestamp's
`readable` ages without anything having changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from ..documents.document import Document
from ..errors import DecodeError

if TYPE_CHECKING:
    from ..orm.entity import Entity
    from .fields import Field
    from .relation import Relation

# Stands for a value that is not known, where None is a value.
EMPTY: Any = object()
# What decoding raises when a slice is not of the declared type.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


@define(eq=False)
class Changes:
    """What a newer document brought: previous values by field, and the ids that entered or left each relation."""

    before: dict[str, Any] = field(factory=dict)
    linked: list[tuple[Relation[Any], str]] = field(factory=list)
    unlinked: list[tuple[Relation[Any], str]] = field(factory=list)
    # Whether the document is older than the last news of its material.
    aged: bool = False


def apply(entity: Entity, new: Document, *, first: bool) -> Changes:
    """Make a document the entity's own; `first` says that nothing was known before, so that nothing has changed.

    Values that are unaffected stay decoded, edits stay edits, and contents that the new document was asked to leave
    out stay known.
    """
    old = entity.document
    changes = Changes()
    if old is not None and not first and not _is_same(entity, old, new):
        for spec in entity.fields.values():
            _apply_field(entity, spec, old, new, changes)
        for relation in entity.relations.values():
            _apply_relation(entity, relation, old, new, changes)
    elif first or old is None:
        entity.forget_decoded()
    entity.accept(new)
    return changes


def _is_same(entity: Entity, old: Document, new: Document) -> bool:
    """Whether two documents say the same, and nothing that is known beside them could differ from what they say."""
    if old.data != new.data or (old.complete, old.contents) != (new.complete, new.contents):
        return False
    if entity.knowledge.ids is not None or entity.knowledge.edits is not None:
        return False
    elsewhere = (spec for spec in entity.fields.values() if spec.where is not None)
    return all(entity.held(spec) is EMPTY or old.get(spec.where[0]) is not None for spec in elsewhere if spec.where)


def _apply_field(entity: Entity, spec: Field, old: Document, new: Document, changes: Changes) -> None:
    before, after = spec.locate(old), spec.locate(new)
    held = entity.held(spec)
    if spec.where is not None and new.get(spec.where[0]) is None:
        # Left out, not gone: it is asked for again when it is read.
        entity.drop(spec)
        return
    if spec.contents and after is None and not new.contents:
        if held is EMPTY and before is not None:
            entity.hold(spec, _decoded(spec, before))
        return
    if before == after and not (spec.contents and not old.contents):
        return
    previous = held if held is not EMPTY else _decoded(spec, before)
    if held is EMPTY and before is None and spec.contents and not old.contents:
        return  # never known: learning it is no change
    current = _decoded(spec, after)
    if current is EMPTY or current != previous:
        entity.drop(spec)
        changes.before[spec.name] = None if previous is EMPTY else previous


def _decoded(spec: Field, raw: Any) -> Any:
    """A slice as a value for comparison; EMPTY when it cannot be decoded (reading the field will say why)."""
    if raw is None:
        return None
    try:
        return spec.decode(raw)
    except UNREADABLE:
        return EMPTY


def _apply_relation(entity: Entity, relation: Relation[Any], old: Document, new: Document, changes: Changes) -> None:
    before, after = old.get(relation.wire), new.get(relation.wire)
    cached = entity.cached_ids(relation)
    if cached is None and before == after:
        return
    known = cached if cached is not None else _ids(relation, old)
    current = _ids(relation, new)
    if current is None:
        # What the new document leaves out is unknown, not empty: what was known stays known.
        if known is not None:
            entity.cache_ids(relation, known)
        return
    entity.cache_ids(relation, current)
    if known is not None:
        changes.linked += [(relation, id) for id in current if id not in set(known)]
        changes.unlinked += [(relation, id) for id in known if id not in set(current)]


def _ids(relation: Relation[Any], document: Document) -> tuple[str, ...] | None:
    """The ids that a document names; None when it does not say, or cannot be read (reading the relation says why)."""
    try:
        return relation.ids_in(document)
    except DecodeError:
        return None
