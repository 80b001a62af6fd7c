"""Load what a relation leads to: the ids that documents leave out, and the entities themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ..documents import answers
from ..errors import InvalidValueError, UnsupportedOperationError
from ..model.record import Record, known_ids
from ..model.relation import Relation
from ..model.state import EXPIRED, HANDLE, LOADED, PARTIAL
from ..values import Progress
from ..wire import routes
from . import loading, state_changes
from .context import Context

R = TypeVar("R", bound=Record)


def related_ids(context: Context, record: Record, relation: Relation[Any]) -> tuple[str, ...]:
    """Return the ids of a relation; unknown ones are read from its association family, else by a full read.

    Raises:
        UnsupportedOperationError: the server does not send this relation; ask from the other side.
    """
    for attempt in range(2):
        ids = _known_ids(context, record, relation)
        if ids is None and record._state.state is LOADED:
            loading.check_autoload(context, record, relation.name)
            read_missing_ids(context, relation, [record])
            ids = _known_ids(context, record, relation)
        if ids is not None:
            return ids
        if attempt == 0:
            loading.check_autoload(context, record, relation.name)
            loading.load(context, record)
    hint = "" if relation.back is None else f" Ask from the other side: {relation.target.__name__}.{relation.back}."
    message = f"This server does not send {relation.name} of {record!r}: it is unknown, not empty.{hint}"
    raise UnsupportedOperationError(message)


def _known_ids(context: Context, record: Record, relation: Relation[Any]) -> tuple[str, ...] | None:
    with context.lock:
        return None if record._state.state is EXPIRED else known_ids(record, relation)


def read_missing_ids(context: Context, relation: Relation[Any], entities: Sequence[Record]) -> None:
    """Ask the relation's association family for the ids that documents leave out; a server may have none."""
    feature = f"{relation.owner.__name__}.{relation.name}"
    if not entities or not context.connection.may_have(feature):
        return
    from .association_ids import read_related_ids  # noqa: PLC0415 documents of most servers leave nothing out

    with context.history.request() as number:
        found = read_related_ids(context.connection, relation, [entity.id for entity in entities])
        if found is None:
            context.connection.has_not(feature)
            return
        for entity in entities:
            state_changes.learn_ids(context, entity, relation, found[entity.id], number)


def related_entities(context: Context, record: Record, relation: Relation[R], ids: Sequence[str]) -> list[R]:
    """Return the entities with these ids; those that are not loaded are filled from the document's nested copies."""
    target: Any = relation.target
    entities: list[R] = [context.identity_map.ref(target, id) for id in ids]
    document = record._state.document
    if document is not None and any(entity._state.state in (HANDLE, PARTIAL) for entity in entities):
        raw = document.get(relation.wire)
        wanted = set(ids)
        for id, copy in () if raw is None else answers.nested(raw, contents=document.contents):
            if id in wanted:
                state_changes.fill(context, target, id, copy, record._state.applied)
    return entities


def load_related(context: Context, record: Record, relation: Relation[R], entities: Sequence[R]) -> list[R]:
    """Load those targets of a relation of which nothing is known; at once where the wire has a route for that."""
    kind = record._schema.kind
    route = routes.PAGES.get((kind.name, relation.name))
    if route is not None and any(each._state.state in (HANDLE, EXPIRED) for each in entities):
        target: Any = relation.target
        with context.history.request() as number:
            data = context.connection.call(route, {kind.parameter: record.id})
            loading.adopt_page(context, target, data, number)
    return loading.load_missing(context, entities)


def prefetch(
    context: Context, entities: Sequence[Record], relations: Sequence[Any], progress: Progress | None
) -> list[Any]:
    """Load the missing targets of some relations together; return all entities that were reached."""
    reached = list(entities)
    for relation in relations:
        if not isinstance(relation, Relation):
            message = f"prefetch takes relations such as Anchor.assets, not {relation!r}."
            raise InvalidValueError(message)
        starts = [entity for entity in reached if isinstance(entity, relation.owner)]
        if reached and not starts:
            message = f"{relation!r} starts at none of the entities that are reached."
            raise InvalidValueError(message)
        loading.load_missing(context, starts)
        read_missing_ids(context, relation, [start for start in starts if _known_ids(context, start, relation) is None])
        targets = {
            target.id: target
            for entity in starts
            for target in related_entities(context, entity, relation, related_ids(context, entity, relation))
        }
        reached += loading.load_missing(context, list(targets.values()), progress)
    return reached
