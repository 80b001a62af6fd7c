"""Load what a relation leads to: the ids that documents leave out, and the entities themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ..errors import InvalidValueError, UnsupportedOperationError
from ..model.record import Record, known_ids
from ..model.relation import Relation
from ..model.state import EXPIRED, HANDLE, LOADED
from ..transport.connection import Connection
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
    ids = _known_ids(context, record, relation)
    if ids is None and record._state.state is LOADED:
        ids = _read_apart(context, record, relation)
    if ids is None:
        loading.check_autoload(context, record, relation.name)
        document = loading.load(context, record)
        ids = _known_ids(context, record, relation)
        # Another thread may have expired it meanwhile: the answer is as fresh as anything.
        ids = relation.ids_in(document) if ids is None else ids
    if ids is None:
        ids = _read_apart(context, record, relation)
    if ids is not None:
        return ids
    hint = "" if relation.back is None else f" Ask from the other side: {relation.target.__name__}.{relation.back}."
    message = f"This server does not send {relation.name} of {record!r}: it is unknown, not empty.{hint}"
    raise UnsupportedOperationError(message)


def _read_apart(context: Context, record: Record, relation: Relation[Any]) -> tuple[str, ...] | None:
    loading.check_autoload(context, record, relation.name)
    found = read_missing_ids(context, relation, [record]).get(record.id)
    known = _known_ids(context, record, relation)
    return found if known is None else known


def _known_ids(context: Context, record: Record, relation: Relation[Any]) -> tuple[str, ...] | None:
    with context.lock:
        return None if record._state.state is EXPIRED else known_ids(record, relation)


class RelatedIds:
    """Reads of the ids that documents leave out, which several sessions may share: each is made once.

    Args:
        connection: to read with.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: defaultdict[Relation[Any], dict[str, tuple[str, ...]]] = defaultdict(dict)

    def read(self, relation: Relation[Any], ids: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
        """Return the ids of a relation of some materials; None where the server has no association family for it."""
        from .association_ids import read_related_ids  # noqa: PLC0415 documents of most servers leave nothing out

        known = self._found[relation]
        missing = [id for id in ids if id not in known]
        found = read_related_ids(self._connection, relation, missing) if missing else {}
        if found is None:
            return None
        known.update(found)
        return {id: known[id] for id in ids}


def read_missing_ids(
    context: Context, relation: Relation[Any], entities: Sequence[Record]
) -> Mapping[str, tuple[str, ...]]:
    """Read the ids that documents leave out from the relation's association family, and return them by entity.

    Where the server has no such family, what was known last is returned, until it is asked again.
    """
    if not entities:
        return {}
    with context.history.request() as number:
        return _learn_missing_ids(context, relation, entities, RelatedIds(context.connection), number, "refresh")


def _learn_missing_ids(
    context: Context,
    relation: Relation[Any],
    entities: Sequence[Record],
    related: RelatedIds,
    number: int,
    origin: str,
) -> Mapping[str, tuple[str, ...]]:
    feature = f"{relation.owner.__name__}.{relation.name}"
    if not context.connection.may_have(feature):
        return _former_ids(context, relation, entities)
    found = related.read(relation, [entity.id for entity in entities])
    if found is None:
        context.connection.has_not(feature)
        return _former_ids(context, relation, entities)
    for entity in entities:
        state_changes.learn_ids(context, entity, relation, found[entity.id], number, origin)
    return found


def _former_ids(context: Context, relation: Relation[Any], entities: Sequence[Record]) -> dict[str, tuple[str, ...]]:
    found = {}
    with context.lock:
        for entity in entities:
            former = (entity._state.former_ids or {}).get(relation.name)
            if former is not None:
                found[entity.id] = former
    return found


def reread_former_ids(
    context: Context, entities: Sequence[Record], related: RelatedIds, number: int, origin: str
) -> None:
    """Read the ids again that were known and that newer documents leave out, and emit what changed of them.

    Args:
        related: reads them; other sessions may have read them before with it.
        number: of a request under way that is older than these reads.
    """
    by_relation: defaultdict[Relation[Any], list[Record]] = defaultdict(list)
    for entity in entities:
        for name in entity._state.former_ids or ():
            by_relation[entity._schema.relations[name]].append(entity)
    for relation, some in by_relation.items():
        _learn_missing_ids(context, relation, some, related, number, origin)


def related_entities(context: Context, record: Record, relation: Relation[R], ids: Sequence[str]) -> list[R]:
    """Return the entities with these ids; those that are not loaded are filled from the document's nested copies."""
    target: Any = relation.target
    entities: list[R] = [context.identity_map.ref(target, id) for id in ids]
    state_changes.fill_members(context, record, relation)
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
    classes = {type(entity) for entity in entities}
    for relation in relations:
        if not isinstance(relation, Relation):
            message = f"prefetch takes relations such as Anchor.assets, not {relation!r}."
            raise InvalidValueError(message)
        starts = [entity for entity in reached if isinstance(entity, relation.owner)]
        if classes and not any(issubclass(cls, relation.owner) for cls in classes):
            message = f"{relation!r} starts at none of the entities that are reached."
            raise InvalidValueError(message)
        classes.add(relation.target)
        loading.load_missing(context, starts)
        read_missing_ids(context, relation, [start for start in starts if _known_ids(context, start, relation) is None])
        targets = {
            target.id: target
            for entity in starts
            for target in related_entities(context, entity, relation, related_ids(context, entity, relation))
        }
        reached += loading.load_missing(context, list(targets.values()), progress)
    return reached
