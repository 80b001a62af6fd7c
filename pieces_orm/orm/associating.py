"""Associate and disassociate entities: which relation is meant, the request, and both sides in step."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from os import PathLike
from typing import Any

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..documents import answers, decoding
from ..errors import AmbiguousRelationError, PiecesError, UnknownRelationError
from ..model.diff import Changes
from ..model.natural_key import Key
from ..model.record import Record, check_usable, readable_ids
from ..model.relation import Relation
from ..transport.connection import Connection, NoExtensionError
from ..transport.failures import error_for
from ..values import Progress
from ..wire.associations import Association, association
from ..wire.extensions import MANY, associate_many_route
from ..wire.kinds import TEXT, Route
from . import emitting, loading, natural_keys, own_writes, relation_loading, state_changes
from .context import Context, check_context

Pair = tuple[Relation[Any], Record]

# Pairs of one request at most: with more, others would wait for the server.
MAX_GROUP_PAIRS = 200


def relation_between(entity: Record, other: object) -> Relation[Any]:
    """Return the one relation that `associate` means for an entity and another, or its natural key.

    Raises:
        UnknownRelationError: the wire has no association between the kinds.
        AmbiguousRelationError: only an explicit relation can say which is meant.
    """
    cls = other.cls if isinstance(other, Key) else type(other)
    candidates = [each for each in _changeable(entity) if issubclass(cls, each.target)]
    if len(candidates) == 1 and not candidates[0].explicit:
        return candidates[0]
    if candidates:
        names = sorted(f"{relation.name}.add(...)" for relation in candidates)
        message = f"The relation must be named: use the {type(entity).__name__}'s {' or '.join(names)}."
        raise AmbiguousRelationError(message)
    theirs = _changeable(other) if isinstance(other, Record) else []
    explicit = [each.name for each in theirs if each.explicit and isinstance(entity, each.target)]
    if explicit:
        message = f"The relation must be named: use the {cls.__name__}'s {explicit[0]}.add(...)."
        raise AmbiguousRelationError(message)
    names = sorted(relation.name for relation in _changeable(entity))
    message = f"{type(entity).__name__} cannot be associated with {cls.__name__}; its relations: {', '.join(names)}."
    raise UnknownRelationError(message)


def pairs_between(context: Context, entity: Record, others: Iterable[Any]) -> list[tuple[Relation[Any], Any]]:
    """Return the relation that `associate` means for each of some others, with the other as an entity or natural key.

    Raises:
        UnknownRelationError: the wire has no association between the kinds.
        AmbiguousRelationError: only an explicit relation can say which is meant.
    """
    named = [_obvious(context, entity, each) if isinstance(each, str | PathLike) else each for each in others]
    found = [(relation_between(entity, each), each) for each in named]
    check(context, entity, found)
    return found


def _obvious(context: Context, entity: Record, value: Any) -> Any:
    """Return the natural key that a value can only be."""
    with_keys = [each for each in _changeable(entity) if each.target._natural_key is not None]
    for relation in with_keys:
        if relation.target._natural_key.claims(value):
            return natural_keys.named(context, relation.target, value, "associate()")
    names = ", ".join(sorted(f"{each.name}.add(...)" for each in with_keys))
    named = f", or name the relation: use the {type(entity).__name__}'s {names}" if names else ""
    message = f"{value!r} does not tell which kind of material is meant. Pass an entity{named}."
    raise AmbiguousRelationError(message)


def _changeable(entity: Record) -> list[Relation[Any]]:
    return [each for each in entity._schema.many.values() if is_changeable(each)]


def is_changeable(relation: Relation[Any]) -> bool:
    """Tell whether a route changes a relation."""
    return _row_of(relation) is not None


@functools.cache
def _row_of(relation: Relation[Any]) -> tuple[Association, bool] | None:
    """Return the table row that changes a relation, and whether it is the other side's row."""
    row = association(relation.owner._schema.kind, relation.name)
    if row is not None:
        return row, False
    if relation.back is not None:
        row = association(relation.target._schema.kind, relation.back)
    return None if row is None else (row, True)


def change(
    context: Context, entity: Record, pairs: Sequence[Pair], *, present: bool, progress: Progress | None = None
) -> None:
    """Associate an entity with others, or undo that, each by its relation, and put both sides in step.

    Everything is checked before anything is sent; one request is about several where the server takes that.
    """
    pairs = list(dict.fromkeys(pairs))
    check(context, entity, pairs)
    ends = [(type(other), other.id) for _, other in pairs]
    with own_writes.marked(context, [(type(entity), entity.id), *ends], "echo") as unchanged:
        several = len(pairs) > 1 and context.connection.offers(MANY)
        errors = parallel.do_groups(
            _groups(pairs, several=several),
            len(pairs),
            partial(_change, context, entity, present=present),
            # One request after another, the server has them in the order in which they are given.
            concurrency=1 if several else context.concurrency,
            progress=progress,
        )
        unchanged.update(end for end, error in zip(ends, errors, strict=True) if error is not None)
        if all(errors):
            unchanged.add((type(entity), entity.id))
    if present and not several:
        _learn_order(context, entity, [relation for relation, _ in pairs])
    done = "associated" if present else "disassociated"
    parallel.raise_failed(pairs, errors, lambda pair: pair[1].id, done)


def _learn_order(context: Context, entity: Record, relations: Sequence[Relation[Any]]) -> None:
    """Read an entity again that several others were associated with at a time: only the server knows their order."""
    several = [each for each in dict.fromkeys(relations) if relations.count(each) > 1]
    if context.concurrency == 1 or not any(readable_ids(entity, each) for each in several):
        return
    with suppress(PiecesError):
        loading.load(context, entity, origin="echo")
        for each in several:
            relation_loading.related_ids(context, entity, each)


def check(context: Context, entity: Record, pairs: Iterable[tuple[Relation[Any], Any]]) -> None:
    """Raise when an entity cannot be associated with others by their relations; natural keys are others too."""
    check_usable(entity)
    for relation, other in pairs:
        _check(context, entity, relation, other)


def _check(context: Context, entity: Record, relation: Relation[Any], other: Any) -> None:
    row = _row_of(relation)
    if row is not None and isinstance(other, Key) and issubclass(other.cls, relation.target):
        return
    if row is None or not isinstance(other, relation.target):
        reason = ": no route of the wire changes this relation."
        if row is not None:
            reason = f": it takes {natural_keys.accepted(relation.target)}."
            if isinstance(other, list | tuple | set | frozenset):
                reason += f" Unpack several: {relation.name}.add(*several)."
        message = f"{relation.name} of {type(entity).__name__} does not take {type(other).__name__}{reason}"
        raise UnknownRelationError(message)
    check_context(other, context)
    check_usable(other)


def _groups(pairs: Sequence[Pair], *, several: bool) -> Iterator[Sequence[Pair]]:
    """Yield pairs in the groups of one request each, all of one relation."""
    size = MAX_GROUP_PAIRS if several else 1
    for _, found in groupby(pairs, key=lambda pair: pair[0]):
        same = list(found)
        yield from (same[start : start + size] for start in range(0, len(same), size))


def _change(
    context: Context, entity: Record, group: Sequence[Pair], errors: list[Exception | None], *, present: bool
) -> Act:
    """Do what one request is about; where the server takes no request about several, one after the other."""
    yield
    results = _ask(context.connection, entity, group, present=present)
    # Every later request is newer, however long this answer waits for its turn.
    number = context.history.now()
    yield

    def apply(place: int, pair: Pair) -> None:
        relation, other = pair
        if results is None:
            _change_alone(context, entity, pair, present=present)
        elif (refused := results[place].error) is not None:
            route = associate_many_route(_row_and_side(relation)[0].owner, present=present)
            raise error_for(refused.status, refused.message.encode(), route.method, route.path)
        else:
            _apply(context, entity, relation, other, number, present=present)

    parallel.do_each(group, errors, apply)


def _change_alone(context: Context, entity: Record, pair: Pair, *, present: bool) -> None:
    errors: list[Exception | None] = [None]
    parallel.do(_change(context, entity, [pair], errors, present=present))
    if errors[0] is not None:
        raise errors[0]


def _apply(
    context: Context, entity: Record, relation: Relation[Any], other: Record, number: int, *, present: bool
) -> None:
    row, _ = _row_and_side(relation)
    relations = [relation] if present else [relation, *_undone_with(entity, relation, row)]
    changed: dict[str, Changes] = {}
    for each in relations:
        changes = state_changes.link(context, entity, each, other, number, present=present, is_certain=each is relation)
        if changes is not None:
            changed[each.name] = changes
    signal = context.signals.associated if present else context.signals.disassociated
    for one in (entity, other):
        # The server answered, so both are there.
        context.watching.announce(one, number)
    for name, changes in changed.items():
        emitting.tell(context, signal, entity, relation=name, other=other, origin="local")
        emitting.emit_changes(context, entity, changes, "local")


def _undone_with(entity: Record, relation: Relation[Any], row: Association) -> list[Relation[Any]]:
    """Return the other relations that the same route undoes: a summary's parents, children and summaries share one."""
    path = row.path("disassociate")
    others = ((each, _row_of(each)) for each in entity._schema.many.values() if each is not relation)
    return [each for each, found in others if found is not None and found[0].path("disassociate") == path]


def _ask(
    connection: Connection, entity: Record, group: Sequence[Pair], *, present: bool
) -> list[answers.Result] | None:
    """Send one request; None when the server takes none about several."""
    row, mirrored = _row_and_side(group[0][0])
    ends = [(other, entity) if mirrored else (entity, other) for _, other in group]
    if len(ends) == 1:
        _send(connection, row, *ends[0], present=present)
        return [answers.Result()]
    route = associate_many_route(row.owner, present=present)
    body = decoding.encode({"relation": row.relation, "pairs": [(first.id, second.id) for first, second in ends]})
    try:
        data = connection.call(route, body=body, extension=MANY)
    except NoExtensionError:
        return None
    return answers.results(data, row.owner.name, len(group))


def _send(connection: Connection, row: Association, first: Record, second: Record, *, present: bool) -> None:
    ids = {row.owner.parameter: first.id, row.parameter: second.id}
    if present:
        roles = None if row.roles is None else decoding.encode(dict(zip(row.roles, ids.values(), strict=True)))
        connection.call(_route(row.path("associate")), ids, body=roles)
    elif row.older is None:
        connection.call(_route(row.path("disassociate")), ids)
    else:
        connection.call_newer_or_older(_route(row.path("disassociate")), _route(row.older), ids)


def _route(path: str) -> Route:
    return Route("POST", path, (), TEXT, "nothing")


def _row_and_side(relation: Relation[Any]) -> tuple[Association, bool]:
    found = _row_of(relation)
    assert found is not None, "relations are checked before they are changed"
    return found
