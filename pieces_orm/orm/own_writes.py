"""Writes of this session that streams report too: marked, so that their echoes are not taken for another's changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ..documents.document import Document
from ..errors import DecodeError, PiecesError
from ..model.record import Record, known_ids
from ..model.relation import Relation
from ..model.state import EXPIRED, LOADED
from . import reading
from .context import Context

Target = tuple[type[Record], str]


@contextmanager
def marked(
    context: Context, targets: Iterable[Target], origin: str, *, in_parts: bool = False
) -> Iterator[set[Target]]:
    """Mark a write as under way that changes some materials, and have its echoes recognised once it has succeeded.

    Yields a set for those that it did not change after all.

    Requests: none for loaded entities, whose documents show what a write changed. If receivers listen to a stream of
    others, one read before the write and one after it, because only `updated` tells an echo from another program's
    change at the same time; none for more than 50 of a kind.

    Args:
        targets: class and id of each material.
        origin: that with which the echoes' documents are applied; see `emitting.emit_changes`.
        in_parts: the write takes several requests, and its answer is read after the last.
    """
    watching, targets = context.watching, list(dict.fromkeys(targets))
    loaded = {target: entity for target in targets if (entity := _loaded(context, target)) is not None}
    unclear = [target for target in targets if target not in loaded and watching.is_followed(target[0])]
    # What this session is writing already may be newer for that.
    quiet = [(cls, id) for cls, id in unclear if not context.history.writes_of(cls._schema.kind, id)]
    before = _updated(context, quiet)
    with ExitStack() as stack:
        for cls, id in targets:
            stack.enter_context(context.history.writing(cls._schema.kind, id, in_parts=in_parts))
        unchanged: set[Target] = set()
        yield unchanged
        updated = _updated(context, [target for target in unclear if target not in unchanged])
        for target in targets:
            if target not in unchanged:
                held = loaded.get(target)
                watching.wrote(*target, updated.get(target), origin=origin, before=before.get(target), held=held)


def _loaded(context: Context, target: Target) -> Record | None:
    entity = context.identity_map.peek(*target)
    return entity if entity is not None and entity._state.state in (LOADED, EXPIRED) else None


def _updated(context: Context, targets: Iterable[Target]) -> dict[Target, bytes | None]:
    """Read the `updated` of materials; those that cannot be read are left out."""
    by_class: defaultdict[type[Record], list[str]] = defaultdict(list)
    for cls, id in targets:
        by_class[cls].append(id)
    found: dict[Target, bytes | None] = {}
    for cls, ids in by_class.items():
        if len(ids) <= reading.MAX_BATCH_SIZE:
            with suppress(PiecesError):
                documents = reading.read_few(context.connection, cls._schema.kind, ids)
                found.update({(cls, id): document.updated for id, document in documents.items()})
    return found


def related(context: Context, record: Record, relations: Iterable[str] | None = None) -> list[Target]:
    """Return the materials that a record is known to be related to, as far as streams report them.

    Requests: none for a loaded entity; else one GET, if there are streams, because its document names the materials.
    One more for each relation that documents leave out, if receivers listen to a stream of its kind.

    Args:
        relations: their names; None: all.
    """
    names = record._schema.relations if relations is None else set(relations)
    if not names:
        return []
    document = None
    if record._state.state is not LOADED and context.watching.is_active:
        with suppress(PiecesError):
            document = reading.read(context.connection, record._schema.kind, record.id, {"transferables": False})
    with context.lock:
        found = named(type(record), document, record, names)
    for relation in (record._schema.relations[name] for name in names):
        if context.watching.is_followed(relation.target) and _leaves_out(record, document, relation):
            found += [(relation.target, id) for id in _ids_apart(context, record, relation)]
    return found


def _leaves_out(record: Record, document: Document | None, relation: Relation[Any]) -> bool:
    try:
        return (known_ids(record, relation) if document is None else relation.ids_in(document)) is None
    except DecodeError:
        return False


def _ids_apart(context: Context, record: Record, relation: Relation[Any]) -> tuple[str, ...]:
    from .association_ids import read_related_ids  # noqa: PLC0415 documents of most servers leave nothing out

    with suppress(PiecesError):
        return (read_related_ids(context.connection, relation, [record.id]) or {}).get(record.id, ())
    return ()


def named(
    cls: type[Record], document: Document | None, record: Record | None = None, relations: Iterable[str] | None = None
) -> list[Target]:
    """Return the materials that a document names, or without one a record."""
    found: dict[Target, None] = {}
    for relation in (cls._schema.relations[name] for name in relations or cls._schema.relations):
        with suppress(DecodeError):
            ids = relation.ids_in(document) if document is not None else record and known_ids(record, relation)
            found.update({(relation.target, id): None for id in ids or ()})
    return list(found)
