"""Read and set the fields of entities: decode once, load what is missing, record edits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..documents.document import Document
from ..errors import DecodeError, NotLoadedError
from ..model.diff import Changes
from ..model.fields import Field
from ..model.record import (
    EMPTY,
    Record,
    cache,
    cached,
    check_usable,
    decode,
    decode_or_keep,
    decode_slice,
    try_decode,
    unreadable,
)
from ..model.state import EXPIRED, LOADED, Edit
from . import emitting, loading, persistence
from .context import Context

_set = object.__setattr__


def read(entity: Record, spec: Field) -> Any:
    """Decode a field that is not decoded yet; load the entity where the field is not known."""
    context: Context = entity._context
    with context.lock:
        value = _known(entity, spec)
        state, document = entity._state.state, entity._state.document
    if value is not EMPTY:
        return value
    if state is LOADED and not context.autoload and document is not None and spec.is_left_out(document):
        message = f"The server leaves {spec.name} of {entity!r} out, and autoload is off: open a session with autoload."
        raise NotLoadedError(message)
    loading.check_autoload(context, entity, spec.name)
    if document is None or state is not LOADED or not spec.is_left_out(document):
        query = {"transferables": True, "transferable": True} if spec.contents else None
        document = loading.load(context, entity, query)
        with context.lock:
            value = _known(entity, spec)
        if value is not EMPTY:
            return value
    if spec.is_left_out(document):
        return _read_apart(context, entity, spec, document, "refresh")
    if spec.is_known_from(document) or spec.locate(document) is not None:
        # Another thread has expired the entity meanwhile: the answer is as fresh as anything.
        return decode(entity, spec, document)
    message = f"The server does not send {spec.wire!r} of {entity!r}."
    raise DecodeError(message, kind=entity._schema.kind.name, id=entity.id, field=spec.name)


def _read_apart(context: Context, entity: Record, spec: Field, document: Document, origin: str) -> Any:
    """Read a field that the document leaves out, and emit `changed` if its value was another before."""
    completed = document
    if isinstance(spec, persistence.CompletedField):
        completed = spec.complete(context, entity, document)
    value = decode(entity, spec, completed)
    changes = Changes()
    with context.lock:
        state = entity._state
        if state.document is document and state.state is LOADED and not state.is_edited(spec.name):
            _set(entity, spec.name, value)
            context.identity_map.read_apart.add(entity)
            former = state.take_former_value(spec.name, value)
            if former != value:
                changes.before[spec.name] = former
            _cache_others(entity, spec, completed, changes)
    emitting.emit_changes(context, entity, changes, origin)
    return value


def _cache_others(entity: Record, spec: Field, completed: Document, changes: Changes) -> None:
    """Cache the other fields that are read from a part that was asked for, and note what changed of them."""
    for each in entity._schema.sometimes_unsaid:
        is_wanted = each is not spec and each.keys == spec.keys and each.is_known_from(completed)
        if not is_wanted or entity._state.is_edited(each.name) or cached(entity, each) is not EMPTY:
            continue
        value = try_decode(each, each.locate(completed))
        if value is not EMPTY:
            cache(entity, each, value)
            former = entity._state.take_former_value(each.name, value)
            if former != value:
                changes.before[each.name] = former


def reread_former_values(context: Context, entities: Sequence[Record], origin: str) -> None:
    """Read the fields again that were known and that newer documents leave out, and emit what changed of them."""
    for entity in entities:
        for name in entity._state.former_values or ():
            spec, document = entity._schema.fields[name], entity._state.document
            if name not in (entity._state.former_values or ()):
                continue  # it was read with another
            if document is not None and entity._state.state is LOADED and spec.is_left_out(document):
                _read_apart(context, entity, spec, document, origin)


def _known(entity: Record, spec: Field) -> Any:
    """Return the value of a field if the document tells it, under the lock; else EMPTY."""
    state = entity._state
    document = state.document
    if state.edits is not None and (value := cached(entity, spec)) is not EMPTY:
        return value
    if document is None or state.state is EXPIRED:
        return EMPTY
    if spec.plain and document.is_unopened and state.edits is None:
        _read_plain(entity, document)
        if (value := cached(entity, spec)) is not EMPTY:
            return value
    raw = spec.locate(document)
    if raw is None and not spec.is_known_from(document):
        return EMPTY
    value = decode_slice(entity, spec, raw)
    _set(entity, spec.name, value)
    return value


def _read_plain(entity: Record, document: Document) -> None:
    """Decode the plain fields of a document together, which costs less than opening it for the first of them."""
    plain = type(entity)._schema.plain
    for put, value in zip(plain.setters, plain.read(document)):  # noqa: B905 no values when one cannot be read
        if value is not None:
            put(entity, value)


def edit_again(entity: Record, name: str, value: Any) -> bool:
    """Set a field that has an edit; False when there is more to it than that."""
    context: Context = entity._context
    state = entity._state
    with context.lock:
        edits = state.edits
        if edits is None or (edit := edits.get(name)) is None or state.state is not LOADED:
            return False
        if edit.seen is not state.document or value == edit.base:
            return False
        if state.editing is not None and state.editing.is_open:
            return False
        # The document still has the value that was replaced, and this is another.
        edits[name] = Edit(value, edit.base, edit.seen)
        _set(entity, name, value)
        return True


def edit(entity: Record, spec: Field, value: Any) -> None:
    """Set a field: load its base where it is not known, and record the edit."""
    context: Context = entity._context
    state, name = entity._state, spec.name
    check_usable(entity)
    if state.state is not LOADED:
        loading.check_autoload(context, entity, name)
        loading.load(context, entity)
    persistence.check_settable(entity, spec)
    current = _base(entity, spec)
    with context.lock:
        edits = state.pending()
        before = edits.get(name)
        is_set_elsewhere = False
        if state.editing is not None:
            state.editing.note_set(name, before)
            is_set_elsewhere = state.editing.is_set_elsewhere(name)
        is_saving = context.history.writes_of(entity._schema.kind, entity.id)
        if _is_saved(entity, spec, value) and not is_saving and not is_set_elsewhere:
            edits.pop(name, None)
        elif before is None:
            edits[name] = Edit(value, current, state.document)
        else:
            # While a save is under way, or another thread has set it, setting a field back has to win.
            edits[name] = Edit(value, before.base, before.seen)
        persistence.keep_edits(context, entity, edits)
        _set(entity, name, value)


def _base(entity: Record, spec: Field) -> Any:
    """Return the value that an edit replaces, loaded where it is not known; its slice where it cannot be decoded."""
    try:
        return getattr(entity, spec.name)
    except DecodeError as error:
        if error.field != spec.name:
            raise
        return unreadable(spec, entity._state.document)


def _is_saved(entity: Record, spec: Field, value: Any) -> bool:
    """Tell whether the present document has this value already."""
    state = entity._state
    saved = cached(entity, spec)
    if state.is_edited(spec.name):
        assert state.document is not None
        saved = decode_or_keep(entity, spec, state.document)
    return type(saved) is type(value) and bool(saved == value)
