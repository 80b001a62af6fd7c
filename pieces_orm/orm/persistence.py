"""Send the edits of an entity to the server, or let the server name it; `saving` says which edits, and when.

A save reads the server's own fresh document, compares it with what each edit replaced, puts the edits in, and sends the
whole: what this version has never heard of goes back as it came. Nothing is forgotten before the server answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from ..documents import answers, decoding, merging
from ..documents.document import Document
from ..errors import ConflictError, PiecesError
from ..model.diff import Changes
from ..model.fields import Field
from ..model.record import (
    Record,
    Unreadable,
    cache,
    check_usable,
    decode,
    decode_or_keep,
    editing_of,
    expire,
    forget_edits,
)
from ..model.state import DELETED, DETACHED, LOADED, Edit
from . import emitting, loading, own_writes, reading, state_changes
from .context import Context

Edits = Mapping[str, Edit]
# Changes that the answers to a save have made, each with the fields that its request has sent; None: all are its own.
Emitted = list[tuple[Changes, "Iterable[str] | None"]]


class CompletedField(Field):
    """A field that is read from a part of the document which servers may leave out, and which is then asked for."""

    def complete(self, context: Context, record: Record, document: Document) -> Document:  # noqa: ARG002 for others
        """Return the document with the part that this field is read from, where the server left it out."""
        return document


class EndpointField(CompletedField):
    """A field that an endpoint of its own saves, because the update route does not change it."""

    # True where the request carries the entity's whole document, which has to be fresh then.
    sends_document: ClassVar[bool] = False

    # The relation whose members the request changes too; empty: it changes none.
    touches: ClassVar[str] = ""

    def check_settable(self, record: Record) -> None:
        """Raise when this field of a record cannot be set."""

    def ask(self, context: Context, record: Record, value: Any) -> None:
        """Let receivers veto what sending a value implies, before anything is sent and without a lock."""

    def check_savable(self, record: Record, fresh: Document) -> None:
        """Raise when this field cannot be saved, as the record's fresh document says; nothing has been sent then."""

    def send(self, context: Context, record: Record, value: Any, fresh: Document) -> Document | None:
        """Send a value; return the material's new document where the answer is one."""
        raise NotImplementedError


# Edits --------------------------------------------------------------------------------------------------------------


def keep_edits(context: Context, record: Record, edits: dict[str, Edit]) -> None:
    """Make these the edits; an entity without edits lives only as long as somebody holds it."""
    record._state.edits = edits or None
    if edits and record._state.state not in (DELETED, DETACHED):
        context.identity_map.hold(record)
    else:
        context.identity_map.release(record)


def check_settable(record: Record, spec: Field) -> None:
    """Raise when a field of a record cannot be set."""
    if isinstance(spec, EndpointField):
        spec.check_settable(record)


def patch(record: Record, edits: Edits) -> dict[str, Any]:
    """Return edits as JSON data by wire path."""
    return {record._schema.fields[name].wire: decoding.plain(edit.mine) for name, edit in edits.items()}


# Save ---------------------------------------------------------------------------------------------------------------


def send(
    context: Context,
    record: Record,
    edits: Edits,
    emitted: Emitted,
    *,
    overwrite: bool,
    transferables: bool | None,
) -> None:
    """Send edits, first those of the document, then those with an endpoint of their own."""
    specs = record._schema.fields
    apart = {name: spec for name, spec in specs.items() if name in edits and isinstance(spec, EndpointField)}
    in_document = {name: edit for name, edit in edits.items() if name not in apart}
    update = _Update(record, patch(record, in_document), transferables) if in_document else None
    fresh = completed = loading.read_record(context, record, {})
    for spec in apart.values():
        spec.check_savable(record, fresh)
        completed = spec.complete(context, record, completed)
    if not overwrite:
        _check_conflicts(record, completed, edits)
    if update is not None:
        fresh = update.send(context, fresh, in_document, emitted)
    if apart:
        parts = own_writes.related(context, [record], {spec.touches for spec in apart.values()} - {""})
        with (
            context.history.writing(record._schema.kind, record.id, in_parts=True),
            own_writes.marked(context, parts, "part"),
        ):
            try:
                _SavingApart(context, record, edits, emitted).send(apart, fresh, completed)
            finally:
                if context.autoload:
                    _expire_parts(context, parts)


def _expire_parts(context: Context, parts: Iterable[own_writes.Target]) -> None:
    """Have the held parts of a material read again that a save of it has changed."""
    with context.lock:
        for cls, id in parts:
            part = context.identity_map.peek(cls, id)
            if part is not None and part._state.state is LOADED:
                expire(part, context.history.now())


class _SavingApart:
    """Saves of fields by endpoints of their own; the document is read again only where it is needed, and at the end."""

    def __init__(self, context: Context, record: Record, edits: Edits, emitted: Emitted) -> None:
        self._context, self._record, self._edits = context, record, edits
        self._sent: dict[str, Edit] = {}
        # To be emitted once the write is no longer under way.
        self._emitted = emitted

    def send(self, apart: Mapping[str, EndpointField], fresh: Document, completed: Document) -> None:
        """Send the fields; one whose request carries the document is sent last, with a document read after the others.

        Edits that were sent are forgotten also when a later one fails, if the server can still be read.
        """
        try:
            for name, spec in sorted(apart.items(), key=lambda item: item[1].sends_document):
                if spec.sends_document and (self._sent or not fresh.contents):
                    fresh = self._read_back()
                document = fresh if spec.sends_document else completed
                answer = spec.send(self._context, self._record, self._edits[name].mine, document)
                self._sent[name] = self._edits[name]
                if answer is not None:
                    fresh = self._apply(answer)
        except PiecesError:
            with suppress(PiecesError):
                self._finish()
            raise
        self._finish()

    def _finish(self) -> None:
        if self._sent:
            self._read_back()

    def _read_back(self) -> Document:
        kind = self._record._schema.kind
        return self._apply(reading.read(self._context.connection, kind, self._record.id, {"transferables": True}))

    def _apply(self, answer: Document) -> Document:
        self._emitted.append((_apply_answer(self._context, self._record, self._sent, answer), None))
        self._sent.clear()
        return answer


def put(context: Context, record: Record, values: Mapping[str, Any]) -> None:
    """Send values by wire path in the server's own fresh document; edits stay.

    Requests: one GET, one POST to the update route.
    """
    check_usable(record)
    update = _Update(record, values, None)
    emitted: Emitted = []
    with context.lock:
        saving = editing_of(record).saving
    with context.signals.held_back(), saving:
        update.send(context, loading.read_record(context, record, {}), {}, emitted)
    for changes, sent in emitted:
        emitting.emit_changes(context, record, changes, "local", sent=sent, theirs="refresh")


class _Update:
    """The request that puts values by wire path into a document; it is checked before any other request is made."""

    def __init__(self, record: Record, values: Mapping[str, Any], transferables: bool | None) -> None:
        self._record, self._values = record, dict(values)
        self._kind = record._schema.kind
        self._route = self._kind.route("update")
        self._query = reading.contents_query(self._route, transferables)

    def send(self, context: Context, fresh: Document, edits: Edits, emitted: Emitted) -> Document:
        """Send the values in a fresh document, and forget the edits that they are."""
        kind, id = self._kind, self._record.id
        copying = own_writes.related(context, [self._record], self._record._schema.copied_by)
        with context.history.writing(kind, id), own_writes.marked(context, copying, "part"):
            data = context.connection.call(self._route, {}, self._query, merging.merge(fresh, self._values))
            answer = answers.one(data, kind.name, id, contents=reading.has_contents(self._query))[1]
            # To be emitted once the write is no longer under way.
            changes = _apply_answer(context, self._record, edits, answer, before=fresh.updated)
            emitted.append((changes, edits or self._values))
        return answer


def _apply_answer(
    context: Context, record: Record, edits: Edits, answer: Document, before: bytes | None = None
) -> Changes:
    """Make the answer to a write the entity's document, and forget the edits that it carries.

    The changes are to be emitted once the write is no longer under way.

    Args:
        before: the `updated` of the document that the write was made on.
    """
    with context.lock:
        # An answer to a write is as new as the moment it arrives: reads sent before that are older.
        changes = state_changes.merge(context, record, answer, context.history.now(), is_own=True)
        keep_edits(context, record, forget_edits(record, edits))
        _keep_sent(record, edits, answer, changes)
        context.watching.wrote(type(record), record.id, answer.updated, before=before)
    return changes


def _keep_sent(record: Record, sent: Edits, answer: Document, changes: Changes) -> None:
    """Make values that were sent the fields' own where the answer leaves them out."""
    if record._state.document is not answer:
        return
    for name, edit in sent.items():
        spec = record._schema.fields[name]
        if spec.is_left_out(answer):
            cache(record, spec, edit.mine)
            if edit.base != edit.mine:
                changes.before[name] = edit.base


def _check_conflicts(record: Record, fresh: Document, edits: Edits) -> None:
    """Raise when the server's value of an edited field is neither what the edit replaced nor what it sets."""
    theirs: dict[str, Any] = {}
    for name, edit in edits.items():
        # An answer that cannot be read is an error, unless the edit replaced what could not be read either.
        read = decode_or_keep if isinstance(edit.base, Unreadable) else decode
        value = read(record, record._schema.fields[name], fresh)
        if value not in (edit.base, edit.mine):
            theirs[name] = value
    if theirs:
        names = ", ".join(sorted(theirs))
        message = (
            f"{names} of {record!r} changed elsewhere since it was read. The edits stay: look at .base, .mine and "
            ".theirs of this error, then save(overwrite=True), or revert() and refresh()."
        )
        raise ConflictError(
            message,
            base={name: _shown(edits[name].base) for name in theirs},
            mine={name: edits[name].mine for name in theirs},
            theirs={name: _shown(value) for name, value in theirs.items()},
        )


def _shown(value: Any) -> Any:
    """Return a value for people; the text of its JSON where it cannot be decoded."""
    return value.text if isinstance(value, Unreadable) else value


# Names --------------------------------------------------------------------------------------------------------------


def ask_for_name(context: Context, record: Record, transferables: bool | None) -> None:
    """Let the server name a material, and apply its answer."""
    check_usable(record)
    kind = record._schema.kind
    query = reading.contents_query(kind.route("rename"), transferables)
    with context.history.writing(kind, record.id):
        data = context.connection.call(kind.route("rename"), {kind.parameter: record.id}, query)
        answer = answers.one(data, kind.name, record.id, contents=reading.has_contents(query))[1]
        changes = _apply_answer(context, record, {}, answer)
    emitting.emit_changes(context, record, changes, "local")
