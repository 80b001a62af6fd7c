"""Writes of this session that streams report too: marked, so that their echoes are not taken for another's changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ..documents.document import Document
from ..errors import DecodeError, PiecesError
from ..model.record import Record, known_ids
from ..model.relation import Relation
from ..model.state import EXPIRED, LOADED
from . import reading
from .context import Context

# Materials of one kind whose `updated` a write looks up at most.
MAX_UNCLEAR = 500

Target = tuple[type[Record], str]


@contextmanager
def marked(context: Context, targets: Iterable[Target], origin: str) -> Iterator[set[Target]]:
    """Mark a write as under way that changes some materials, and have its echoes recognised once it has succeeded.

    Yields a set for those that it did not change after all.

    Requests: none for loaded entities, whose documents show what a write changed. If receivers listen to a stream of
    others, one read before the write and one after it, because only `updated` tells an echo from another program's
    change at the same time; for the first 500 of a kind.

    Args:
        targets: class and id of each material.
        origin: that with which the echoes' documents are applied; see `emitting.emit_changes`.
    """
    watching, targets = context.watching, list(dict.fromkeys(targets))
    loaded = {target: entity for target in targets if (entity := _loaded(context, target)) is not None}
    unclear = [target for target in targets if target not in loaded and watching.is_followed(target[0])]
    # A material that another call is writing may be newer because of that.
    quiet = [(cls, id) for cls, id in unclear if not context.history.writes_of(cls._schema.kind, id)]
    before = _updated(context, quiet)
    with ExitStack() as stack:
        for cls, id in targets:
            stack.enter_context(context.history.writing(cls._schema.kind, id, origin=origin))
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
        for start in range(0, min(len(ids), MAX_UNCLEAR), reading.MAX_BATCH_SIZE):
            with suppress(PiecesError):
                chunk = ids[start : start + reading.MAX_BATCH_SIZE]
                documents = reading.read_few(context.connection, cls._schema.kind, chunk)
                found.update({(cls, id): document.updated for id, document in documents.items()})
    return found


def related(context: Context, records: Sequence[Record], relations: Iterable[str] | None = None) -> list[Target]:
    """Return the materials that records of one class are known to be related to.

    Requests: none for loaded entities; if there are streams, one GET for each other, because its document names the
    materials, and if receivers listen to a stream of the related kind one read for each relation that documents leave
    out.

    Args:
        relations: their names; None: all.
    """
    names = tuple(records[0]._schema.relations) if relations is None and records else tuple(relations or ())
    found: list[Target] = []
    left_out: defaultdict[Relation[Any], list[str]] = defaultdict(list)
    for record in records if names else ():
        document = None
        if record._state.state is not LOADED and context.watching.is_active:
            with suppress(PiecesError):
                document = reading.read(context.connection, record._schema.kind, record.id, {"transferables": False})
        with context.lock:
            found += named(type(record), document, record, names)
            for relation in (record._schema.relations[name] for name in names):
                if _leaves_out(record, document, relation):
                    left_out[relation].append(record.id)
    for relation, ids in left_out.items():
        if context.watching.is_followed(relation.target):
            found += _related_apart(context, relation, ids)
    return found


def _leaves_out(record: Record, document: Document | None, relation: Relation[Any]) -> bool:
    try:
        return (known_ids(record, relation) if document is None else relation.ids_in(document)) is None
    except DecodeError:
        return False


def _related_apart(context: Context, relation: Relation[Any], ids: Sequence[str]) -> list[Target]:
    from .association_ids import read_related_ids  # noqa: PLC0415 documents of most servers leave nothing out

    with suppress(PiecesError):
        found = read_related_ids(context.connection, relation, ids) or {}
        return [(relation.target, id) for others in found.values() for id in others]
    return []


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
