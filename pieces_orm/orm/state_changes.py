"""Apply answers to entities, keep both sides of associations in step, and emit what changed.

An answer is applied under the session's lock; signals are emitted outside it. What the history has noted since the
answer was requested wins over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec import Raw

from ..documents import answers, merging
from ..documents.document import Document
from ..errors import DecodeError
from ..model import diff
from ..model.diff import Changes
from ..model.record import Record, expire, readable_ids
from ..model.relation import Relation
from ..model.state import DELETED, DETACHED, HANDLE, LOADED, PARTIAL
from . import emitting
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
        overlap = context.history.written_since(cls._schema.kind, id, number) if origin == "remote" else None
        if overlap is not None:
            origin = "score" if overlap == "score" else "overlap"
    _emit(context, entity, changes, origin)
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
        _emit(context, entity, changes, origin)
    return adopted


def fill(context: Context, cls: type[Record], id: str, copy: Document, number: int) -> None:
    """Let a nested copy fill an entity that is not loaded; it never overwrites a loaded one.

    Args:
        number: that of the document in which the copy came.
    """
    with context.lock:
        if context.history.is_deleted_since(cls._schema.kind, id, number):
            return
        entity = context.identity_map.ref(cls, id)
        state = entity._state
        if state.document is None and state.state in (HANDLE, DETACHED):
            detached = state.state is DETACHED
            diff.apply(entity, copy, first=True)
            state.applied, state.state = number, DETACHED if detached else state.state
            if state.state is PARTIAL:
                context.identity_map.partial[cls].add(entity)
        elif state.document is not None and state.state is PARTIAL:
            is_newer = state.applied < number
            if is_newer or copy.keys.keys() - state.document.keys.keys():
                newer, older = (copy, state.document) if is_newer else (state.document, copy)
                diff.apply(entity, merging.joined(newer, older), first=True)
                state.applied = max(number, state.applied)


def fill_members(context: Context, entity: Record, relation: Relation[Any], *, only_partial: bool = False) -> None:
    """Let the nested copies of a relation fill those of its members that are not loaded.

    Args:
        only_partial: make no new entities, and pass over those of which nothing is known.
    """
    document = entity._state.document
    with context.lock:
        members = [context.identity_map.peek(relation.target, id) for id in readable_ids(entity, relation) or ()]
        wanted = {
            each.id
            for each in members
            if each is not None
            and (each._state.state is PARTIAL or (each._state.document is None and not only_partial))
        }
        raw = None if document is None or not wanted else document.get(relation.wire)
        for id, copy in () if raw is None or document is None else _copies(raw, document):
            if id in wanted:
                fill(context, relation.target, id, copy, entity._state.applied)


def _copies(raw: Raw, document: Document) -> list[tuple[str, Document]]:
    try:
        return answers.nested(raw, contents=document.contents)
    except DecodeError:
        return []


def apply(context: Context, entity: Record, document: Document, number: int, origin: str) -> bool:
    """Apply an answer to the request with this number; return False when something newer was applied before."""
    with context.lock:
        if entity._state.state is DELETED or entity._state.applied > number:
            return False
        changes = merge(context, entity, document, number)
    _emit(context, entity, changes, origin)
    return True


def _emit(context: Context, entity: Record, changes: Changes, origin: str) -> None:
    """Emit what a read brought; if the echo of a write of this session is still to come, that write is its own."""
    expected = context.watching.echo_origin(entity, changes.since) if origin == "refresh" and changes.before else None
    theirs = "remote" if expected is None else origin
    emitting.emit_changes(context, entity, changes, expected or origin, theirs=theirs)


def merge(context: Context, entity: Record, document: Document, number: int, *, is_own: bool = False) -> Changes:
    """Apply a document under the lock, unless it is older; emit with `emitting.emit_changes`, outside the lock.

    Args:
        is_own: the document answers a write of fields by this session.
    """
    state, kind = entity._state, entity._schema.kind
    if state.state in (DELETED, DETACHED) or state.applied > number:
        return Changes()
    changes = diff.apply(entity, document, first=state.state in (HANDLE, PARTIAL), is_own=is_own)
    changes.since, state.applied = state.applied, number
    changes.outdated = context.history.is_reported_since(kind, entity.id, number)
    context.identity_map.partial[type(entity)].discard(entity)
    if changes.before:
        _expire_copied(context, entity, changes, number)
    _settle(context, entity, changes, number)
    if any(context.identity_map.partial.values()):
        for relation in entity._schema.relations.values():
            if context.identity_map.partial.get(relation.target):
                fill_members(context, entity, relation, only_partial=True)
    for relation, back in entity._schema.copying:
        for holder in _holders_of(context, entity, relation, back):
            if holder._state.applied < number:
                _copy(context, holder, back, entity.id, document, changes)
    return changes


def _expire_copied(context: Context, entity: Record, changes: Changes, number: int) -> None:
    """Have those read again from whose copies an answer showed that they have changed."""
    schema = entity._schema
    for name in {schema.fields[name].copied_from for name in changes.before} - {""}:
        for id in readable_ids(entity, schema.relations[name]) or ():
            member = context.identity_map.peek(schema.relations[name].target, id)
            if member is not None and member._state.state is LOADED and member._state.applied < number:
                expire(member, member._state.applied)


def _settle(context: Context, entity: Record, changes: Changes, number: int) -> None:
    """Put back what is newer than the answer with this number, and let the other sides know what it said."""
    replay(context, entity, changes, number)
    for present, pairs in ((True, changes.linked), (False, changes.unlinked)):
        for relation, id in pairs:
            _mirror(context, entity, relation, id, number, present=present, changes=changes)


def replay(context: Context, entity: Record, changes: Changes, number: int) -> None:
    """Put back what the history noted of an entity's associations after its document was requested."""
    schema, history = entity._schema, context.history
    for link in history.links_since(schema.kind, entity.id, number):
        relation = schema.relations[link.relation]
        _put(context, entity, relation, link.id, changes, present=link.present)
        undone = changes.unlinked if link.present else changes.linked
        undone[:] = [pair for pair in undone if pair != (relation, link.id)]
    for kind, id in history.deletions_since(number):
        for relation in schema.relations.values():
            if relation.target._schema.kind.name == kind and _put(
                context, entity, relation, id, changes, present=False
            ):
                changes.linked[:] = [pair for pair in changes.linked if pair != (relation, id)]


# Copies -------------------------------------------------------------------------------------------------------------


def is_copied(context: Context, cls: type[Record], id: str) -> bool:
    """Tell whether fields of living entities are read from their copies of this material."""
    with context.lock:
        return any(
            id in _last_ids(each, back)
            for _, back in cls._schema.copying
            for each in context.identity_map.alive(back.owner)
        )


def _holders_of(context: Context, entity: Record, relation: Relation[Any], back: Relation[Any]) -> Iterable[Record]:
    """Return the living entities that have copies of another, as far as anybody has read or can read them."""
    ids, peek = readable_ids(entity, relation), context.identity_map.peek
    named: list[Record | None] = [peek(relation.target, id) for id in ids or ()]
    if ids is None:
        # Documents leave the relation out on both sides: only what was read apart can have a copy.
        named = [each for each in context.identity_map.read_apart if isinstance(each, back.owner)]
    return [each for each in named if each is not None and entity.id in _last_ids(each, back)]


def _last_ids(record: Record, relation: Relation[Any]) -> tuple[str, ...]:
    """Return the ids of a relation as they were known last."""
    former = (record._state.former_ids or {}).get(relation.name)
    return (readable_ids(record, relation) if former is None else former) or ()


def _copy(
    context: Context, holder: Record, relation: Relation[Any], id: str, member: Document | None, changes: Changes
) -> None:
    """Bring the copy of a material up to date in a document; one that is being saved reads its own again."""
    if not context.history.is_written_in_parts(holder._schema.kind, holder.id):
        changed = diff.replace_copy(holder, relation, id, member)
        if changed.before:
            changes.others.append((holder, changed))


# Associations -------------------------------------------------------------------------------------------------------


def link(
    context: Context,
    entity: Record,
    relation: Relation[Any],
    other: Record,
    number: int,
    *,
    present: bool,
    is_certain: bool = True,
) -> Changes | None:
    """Put both sides of an association in step; None when it is nothing new.

    Args:
        number: that of the moment when the server answered; a side whose document is newer knows better.
        is_certain: the association was changed also where no side knew of it.
    """
    changes = Changes()
    with context.lock:
        back = relation.inverse
        sides = (
            [(entity, relation, other.id)] if back is None else [(entity, relation, other.id), (other, back, entity.id)]
        )
        learned = [_link_side(context, one, way, id, number, changes, present=present) for one, way, id in sides]
    known = [each for each in learned if each is not None]
    return changes if any(known) or (is_certain and not known) else None


def _link_side(
    context: Context, entity: Record, relation: Relation[Any], id: str, number: int, changes: Changes, *, present: bool
) -> bool | None:
    if entity._state.applied > number:
        return False
    context.history.note_link(entity._schema.kind, entity.id, Link(number, relation.name, id, present))
    return _put(context, entity, relation, id, changes, present=present)


def _put(
    context: Context, entity: Record, relation: Relation[Any], id: str, changes: Changes, *, present: bool
) -> bool | None:
    """Add or take away an id; False when nothing had to be done, None when the ids are unknown and stay so."""
    state, schema = entity._state, entity._schema
    former = (state.former_ids or {}).get(relation.name)
    ids = readable_ids(entity, relation) if former is None else former
    if ids is None:
        return None
    if (id in ids) is present:
        return False
    others = tuple(each for each in ids if each != id)
    current = relation.with_id(others, id) if present else others
    if former is None:
        state.cache_ids(relation.name, current)
    else:
        state.age_ids(relation.name, current)
    for alias in schema.aliases.get(relation.name, ()):
        named = readable_ids(entity, alias)
        if named is not None and (id in named or (present and not named)):
            state.cache_ids(alias.name, current[:1])
    if relation.name in schema.copied:
        member: Record | None = context.identity_map.peek(relation.target, id) if present else None
        if present and (member is None or member._state.state is not LOADED):
            diff.forget_copies(entity, relation)
        else:
            _copy(context, entity, relation, id, None if member is None else member._state.document, changes)
    return True


def learn_ids(
    context: Context, entity: Record, relation: Relation[Any], ids: tuple[str, ...], number: int, origin: str
) -> None:
    """Keep the ids of a relation that were requested apart from the document, and emit what changed of them."""
    changes = Changes()
    with context.lock:
        state = entity._state
        if state.state in (DELETED, DETACHED) or readable_ids(entity, relation) is not None:
            return
        former = state.take_former_ids(relation.name)
        state.cache_ids(relation.name, ids)
        changes.compare_ids(relation, former, ids)
        _settle(context, entity, changes, number)
    emitting.emit_changes(context, entity, changes, origin)


def mirror(context: Context, entity: Record) -> Changes:
    """Let the other sides know what a document that is new here says of its associations."""
    changes = Changes()
    with context.lock:
        for relation in entity._schema.relations.values():
            for id in readable_ids(entity, relation) or ():
                _mirror(context, entity, relation, id, entity._state.applied, present=True, changes=changes)
    return changes


def _mirror(
    context: Context, entity: Record, relation: Relation[Any], id: str, number: int, *, present: bool, changes: Changes
) -> None:
    """Let the other side know what an answer said; answers of its own that are older do not know it."""
    back = relation.inverse
    other: Record | None = None if back is None else context.identity_map.peek(relation.target, id)
    if back is not None and other is not None:
        context.history.note_link(other._schema.kind, id, Link(number, back.name, entity.id, present))
        _put(context, other, back, entity.id, changes, present=present)


# Deletions ----------------------------------------------------------------------------------------------------------


def remove(context: Context, entity: Record) -> Changes | None:
    """Make an entity DELETED and take it out of map and neighbours; None when that was done before."""
    entities, history, schema = context.identity_map, context.history, entity._schema
    changes = Changes()
    with context.lock:
        if entity._state.state in (DELETED, DETACHED):
            return None
        for relation in schema.relations.values():
            back = relation.inverse
            if back is None:
                continue
            ids = readable_ids(entity, relation)
            near = entities.alive(relation.target) if ids is None else [entities.peek(relation.target, i) for i in ids]
            for other in near:
                if other is not None:
                    _link_side(context, other, back, entity.id, history.now(), changes, present=False)
        entities.remove(entity)
        history.note_deleted(schema.kind, entity.id)
        context.watching.removed(entity)
    return changes


def tell_deleted(context: Context, entity: Record, changes: Changes, origin: str) -> None:
    """Emit the deletion of an entity, and what it changed in others."""
    context.signals.emit(context.signals.deleted, type(entity), entity=entity, origin=origin)
    emitting.emit_changes(context, entity, changes, origin)


def remove_missing(context: Context, entity: Record, origin: str) -> None:
    """Make an entity DELETED that turned out to be gone; emit `deleted` if anything was known, or a delete found it."""
    was_known = entity._state.document is not None
    if was_known:
        context.watching.announce(entity, entity._state.applied)
    changes = remove(context, entity)
    if changes is not None and (was_known or origin == "local"):
        tell_deleted(context, entity, changes, origin)
