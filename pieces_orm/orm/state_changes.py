"""Apply answers to entities, keep both sides of associations in step, and emit what changed.

An answer is applied under the session's lock; signals are emitted outside it. What the history has noted since the
answer was requested wins over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from ..documents.document import Document
from ..model import diff
from ..model.diff import Changes
from ..model.record import Record, readable_ids
from ..model.relation import Relation
from ..model.state import DELETED, DETACHED, HANDLE, PARTIAL
from ..signals import Signal
from .context import Context
from .history import Link

R = TypeVar("R", bound=Record)


# Documents ----------------------------------------------------------------------------------------------------------


def adopt(context: Context, cls: type[R], id: str, document: Document, number: int, origin: str) -> R | None:
    """Return the entity for a document, fresh; None when it was deleted after the document was requested."""
    with context.lock:
        if context.history.is_deleted_since(cls._schema.kind, id, number):
            return None
        entity = context.identity_map.ref(cls, id)
        changes = merge(context, entity, document, number)
    emit_changes(context, entity, changes, origin)
    return entity


def adopt_page(
    context: Context, cls: type[R], page: Iterable[tuple[str, Document]], number: int, origin: str
) -> list[R]:
    """Return the entities for the documents of one answer, fresh; those that were deleted since are left out."""
    adopted: list[R] = []
    known: list[tuple[R, Changes]] = []
    kind, entities, history = cls._schema.kind, context.identity_map, context.history
    with context.lock:
        nothing_noted = history.is_empty and not entities.is_detached
        for id, document in page:
            found = entities.peek(cls, id)
            if found is None and nothing_noted:
                # Most of a first page: nothing was known, so nothing has changed and there is nothing to put back.
                found = entities.make_loaded(cls, id, document, number)
            elif history.is_deleted_since(kind, id, number):
                continue
            else:
                found = entities.ref(cls, id)
                known.append((found, merge(context, found, document, number)))
            adopted.append(found)
    for entity, changes in known:
        emit_changes(context, entity, changes, origin)
    return adopted


def fill(context: Context, cls: type[R], id: str, document: Document, number: int) -> None:
    """Let a nested copy fill an entity that is not loaded; it never overwrites a loaded one."""
    with context.lock:
        if context.history.is_deleted_since(cls._schema.kind, id, number):
            return
        entity = context.identity_map.ref(cls, id)
        state = entity._state
        is_richer = state.document is None or len(document.keys) > len(state.document.keys)
        if state.state is HANDLE or (state.state is PARTIAL and is_richer):
            merge(context, entity, document, max(number, state.applied))


def apply(context: Context, entity: Record, document: Document, number: int, origin: str) -> bool:
    """Apply an answer to the request with this number; return False when something newer was applied before."""
    with context.lock:
        if entity._state.state is DELETED or entity._state.applied > number:
            return False
        changes = merge(context, entity, document, number)
    emit_changes(context, entity, changes, origin)
    return True


def merge(context: Context, entity: Record, document: Document, number: int) -> Changes:
    """Apply a document under the lock, unless it is older; emit with `emit_changes`, outside the lock."""
    state, kind = entity._state, entity._schema.kind
    if state.state in (DELETED, DETACHED) or state.applied > number:
        return Changes()
    changes = diff.apply(entity, document, first=state.state in (HANDLE, PARTIAL))
    state.applied = number
    changes.outdated = context.history.is_reported_since(kind, entity.id, number)
    replay(context, entity, changes, number)
    for relation, id in changes.linked:
        _mirror(context, entity, relation, id, number, present=True)
    for relation, id in changes.unlinked:
        _mirror(context, entity, relation, id, number, present=False)
    return changes


def replay(context: Context, entity: Record, changes: Changes, number: int) -> None:
    """Put back what the history noted of an entity's associations after its document was requested."""
    schema, history = entity._schema, context.history
    for link in history.links_since(schema.kind, entity.id, number):
        relation = schema.relations[link.relation]
        _put(entity, relation, link.id, present=link.present)
        undone = changes.unlinked if link.present else changes.linked
        undone[:] = [pair for pair in undone if pair != (relation, link.id)]
    for kind, id in history.deletions_since(number):
        for relation in schema.relations.values():
            if relation.target._schema.kind.name == kind and _put(entity, relation, id, present=False):
                changes.linked[:] = [pair for pair in changes.linked if pair != (relation, id)]


# Signals ------------------------------------------------------------------------------------------------------------


def emit_changes(context: Context, entity: Record, changes: Changes, origin: str) -> None:
    """Emit changes, outside the lock; of the echo of a write of this session only what it brought besides."""
    if changes.outdated:
        context.watching.applied_outdated(entity)
    others = origin
    if origin == "echo":
        if changes.before.keys() == {"updated"}:
            changes.before.clear()
        # Associations of this session were emitted when they were made: any that an echo brings are another's.
        origin, others = ("local" if changes.before.keys() <= {"updated", "score"} else "remote"), "remote"
    signals = context.signals
    if changes.before and signals.changed.receivers:
        fields, before = frozenset(changes.before), dict(changes.before)
        signals.emit(signals.changed, type(entity), entity=entity, fields=fields, before=before, origin=origin)
    if changes.linked and signals.associated.receivers:
        _emit_pairs(context, signals.associated, entity, changes.linked, others)
    if changes.unlinked and signals.disassociated.receivers:
        _emit_pairs(context, signals.disassociated, entity, changes.unlinked, others)


def _emit_pairs(
    context: Context, signal: Signal, entity: Record, pairs: list[tuple[Relation[Any], str]], origin: str
) -> None:
    for relation, id in pairs:
        other = context.identity_map.ref(relation.target, id)
        about = {"entity": entity, "relation": relation.name, "other": other, "origin": origin}
        context.signals.emit(signal, type(entity), **about)


# Associations -------------------------------------------------------------------------------------------------------


def link(
    context: Context, entity: Record, relation: Relation[Any], other: Record, number: int, *, present: bool
) -> bool:
    """Put both sides of an association in step; False when both knew it already.

    Args:
        number: that of the moment when the server answered; a side whose document is newer knows better.
    """
    with context.lock:
        back = relation.inverse
        here = _link_side(context, entity, relation, other.id, number, present=present)
        there = None if back is None else _link_side(context, other, back, entity.id, number, present=present)
        learned = [each for each in (here, there) if each is not None]
        return any(learned) or not learned


def _link_side(
    context: Context, entity: Record, relation: Relation[Any], id: str, number: int, *, present: bool
) -> bool | None:
    if entity._state.applied > number:
        return False
    context.history.note_link(entity._schema.kind, entity.id, Link(number, relation.name, id, present))
    return _put(entity, relation, id, present=present)


def _put(entity: Record, relation: Relation[Any], id: str, *, present: bool) -> bool | None:
    """Add or take away an id; False when nothing had to be done, None when the ids are unknown and stay so."""
    ids = readable_ids(entity, relation)
    if ids is None:
        return None
    if (id in ids) is present:
        return False
    others = tuple(each for each in ids if each != id)
    entity._state.cache_ids(relation.name, relation.with_id(others, id) if present else others)
    return True


def learn_ids(context: Context, entity: Record, relation: Relation[Any], ids: tuple[str, ...], number: int) -> None:
    """Keep the ids of a relation that were requested apart from the document."""
    with context.lock:
        if readable_ids(entity, relation) is None:
            entity._state.cache_ids(relation.name, ids)
            replay(context, entity, Changes(), number)


def mirror(context: Context, entity: Record) -> None:
    """Let the other sides know what a document that is new here says of its associations."""
    with context.lock:
        for relation in entity._schema.relations.values():
            for id in readable_ids(entity, relation) or ():
                _mirror(context, entity, relation, id, entity._state.applied, present=True)


def _mirror(context: Context, entity: Record, relation: Relation[Any], id: str, number: int, *, present: bool) -> None:
    """Let the other side know what an answer said; answers of its own that are older do not know it."""
    back = relation.inverse
    other: Record | None = None if back is None else context.identity_map.peek(relation.target, id)
    if back is not None and other is not None:
        context.history.note_link(other._schema.kind, id, Link(number, back.name, entity.id, present))
        _put(other, back, entity.id, present=present)


# Deletions ----------------------------------------------------------------------------------------------------------


def remove(context: Context, entity: Record) -> bool:
    """Make an entity DELETED and take it out of map and neighbours; False when that was done before."""
    entities, history, schema = context.identity_map, context.history, entity._schema
    with context.lock:
        if entity._state.state in (DELETED, DETACHED):
            return False
        for relation in schema.relations.values():
            back = relation.inverse
            if back is None:
                continue
            ids = readable_ids(entity, relation)
            near = entities.alive(relation.target) if ids is None else [entities.peek(relation.target, i) for i in ids]
            for other in near:
                if other is not None:
                    _link_side(context, other, back, entity.id, history.now(), present=False)
        entities.remove(entity)
        history.note_deleted(schema.kind, entity.id)
        return True


def remove_missing(context: Context, entity: Record, origin: str) -> None:
    """Make an entity DELETED that turned out to be gone, and emit `deleted` if anything was known of it."""
    was_known = entity._state.document is not None
    if remove(context, entity) and was_known and context.signals.deleted.receivers:
        context.signals.emit(context.signals.deleted, type(entity), entity=entity, origin=origin)
