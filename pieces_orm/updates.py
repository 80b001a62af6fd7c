"""Apply a newer document to an entity in place, and tell what changed by it.

Called under the session's lock. Slices are compared first, decoded values where slices differ: a timestamp's
`readable` ages without anything having changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field

from . import documents
from .documents import Document
from .errors import DecodeError

if TYPE_CHECKING:
    from .entity import Entity
    from .fields import Field
    from .relations import Many

_EMPTY: Any = object()


@define(eq=False)
class Changes:
    """What a newer document brought: previous values by field, and the ids that entered or left each relation."""

    before: dict[str, Any] = field(factory=dict)
    linked: list[tuple[Many[Any], str]] = field(factory=list)
    unlinked: list[tuple[Many[Any], str]] = field(factory=list)

    def __bool__(self) -> bool:
        return bool(self.before or self.linked or self.unlinked)


def apply(entity: Entity, new: Document, *, first: bool) -> Changes:
    """Make a document the entity's own; `first` says that nothing was known before, so that nothing has changed.

    Values that are unaffected stay decoded, edits stay edits, and contents that the new document was asked to leave
    out stay known.
    """
    old = entity.document
    changes = Changes()
    if old is not None and not first:
        for spec in entity.fields.values():
            _apply_field(entity, spec, old, new, changes)
        for relation in entity.many.values():
            _apply_relation(entity, relation, old, new, changes)
    else:
        entity.forget_decoded()
    entity.accept(new)
    return changes


def _apply_field(entity: Entity, spec: Field, old: Document, new: Document, changes: Changes) -> None:
    before, after = spec.locate(old), spec.locate(new)
    held = entity.held(spec)
    if spec.contents and after is None and not new.contents:
        if held is _EMPTY and before is not None:
            entity.hold(spec, _decoded(spec, before))
        return
    if before == after and not (spec.contents and not old.contents):
        return
    previous = held if held is not _EMPTY else _decoded(spec, before)
    if held is _EMPTY and before is None and spec.contents and not old.contents:
        return  # never known: learning it is no change
    current = _decoded(spec, after)
    if current is _EMPTY or current != previous:
        entity.drop(spec)
        changes.before[spec.name] = None if previous is _EMPTY else previous


def _decoded(spec: Field, raw: Any) -> Any:
    """A slice as a value for comparison; _EMPTY when it cannot be decoded (reading the field will say why)."""
    if raw is None:
        return None
    try:
        return spec.decode(raw)
    except (ValueError, TypeError, KeyError):
        return _EMPTY


def _apply_relation(entity: Entity, relation: Many[Any], old: Document, new: Document, changes: Changes) -> None:
    before, after = old.get(relation.wire), new.get(relation.wire)
    cached = entity.cached_ids(relation)
    if after is None or (cached is None and before == after):
        # What the new document leaves out is unknown, not empty: what was known stays known.
        if after is None and cached is None and before is not None:
            entity.cache_ids(relation, documents.member_ids(before))
        return
    if cached is None:
        cached = documents.member_ids(before) if before is not None else None
    try:
        current = documents.member_ids(after)
    except DecodeError:
        return
    entity.cache_ids(relation, current)
    if cached is not None:
        known, now = set(cached), set(current)
        changes.linked += [(relation, id) for id in current if id not in known]
        changes.unlinked += [(relation, id) for id in cached if id not in now]


EMPTY = _EMPTY
