"""Writes whose answers carry no document: marked, so that streams do not take their echoes for another's changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from ..errors import DecodeError, PiecesError
from ..model.record import Record, known_ids
from ..model.state import LOADED
from ..wire.kinds import Kind
from . import reading
from .context import Context


@contextmanager
def unanswered(context: Context, record: Record) -> Iterator[None]:
    """Mark a write of a material as under way, and have its echo recognised once it has succeeded.

    Requests: none for a loaded entity, whose document shows what the write changed; else one GET, if receivers listen
    to a stream of the kind, because only the new `updated` tells an echo from another program's change right after.
    """
    watching, is_loaded = context.watching, record._state.state is LOADED
    was_reported = not is_loaded and watching.is_reported(record)
    with context.history.writing(record._schema.kind, record.id):
        yield
        if was_reported:
            return  # another's change is still to be emitted
        updated = None
        if not is_loaded and watching.needs_updated(record):
            with suppress(PiecesError):
                kind = record._schema.kind
                updated = reading.read(context.connection, kind, record.id, {"transferables": False}).updated
        watching.wrote(record, updated)


@contextmanager
def beside(context: Context, record: Record, relations: Iterable[str], origin: str) -> Iterator[None]:
    """Mark the materials of some relations as touched by a write of a record, which streams report too.

    Requests: none for a loaded entity; else one GET, if there are streams, because its document names the materials.

    Args:
        relations: names of relations.
        origin: "beside" or "part"; see `state_changes.emit_changes`.
    """
    touched = _named(context, record, relations) if context.watching.is_active and relations else {}
    with ExitStack() as stack:
        for kind, id in touched:
            stack.enter_context(context.history.writing(kind, id))
        yield
        for kind, id in touched:
            context.watching.wrote_beside(kind, id, origin)


def _named(context: Context, record: Record, relations: Iterable[str]) -> dict[tuple[Kind, str], None]:
    document = None
    if record._state.state is not LOADED:
        with suppress(PiecesError):
            document = reading.read(context.connection, record._schema.kind, record.id, {"transferables": False})
    named: dict[tuple[Kind, str], None] = {}
    with context.lock:
        for relation in (record._schema.relations[name] for name in relations):
            with suppress(DecodeError):
                ids = known_ids(record, relation) if document is None else relation.ids_in(document)
                named.update({(relation.target._schema.kind, id): None for id in ids or ()})
    return named
