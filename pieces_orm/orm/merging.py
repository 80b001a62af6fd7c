"""Make two materials one: move the associations of one to the other, and delete it."""

from __future__ import annotations

from typing import Any, TypeVar

from ..errors import BatchError, PiecesError, UnsupportedOperationError
from ..model.record import Record
from ..model.relation import Relation
from ..values import Progress
from . import associating, commands, loading, relation_loading
from .context import Context

R = TypeVar("R", bound=Record)


def merge(context: Context, into: R, other: R, progress: Progress | None) -> None:
    """Move all associations of one material to another, then delete it; both are of one kind.

    What a call that broke off has moved is not moved again.

    Raises:
        BatchError: some could not be moved; the other is not deleted.
    """
    commands.ask_to_delete(context, other)
    moved: set[associating.Pair] = set()
    # Until nothing is left: other programs may associate more meanwhile.
    while left := move(context, into, other, progress):
        if moved.issuperset(left):
            message = (
                f"The server has taken {len(left)} associations with {into!r}, and does not list them. {other!r} is "
                "not deleted: merge them again, or delete it."
            )
            raise BatchError(message, succeeded=[], failed={each.id: PiecesError(message) for _, each in left})
        moved.update(left)
    commands.delete(context, other, is_asked=True)


def check_kind(cls: type[Record]) -> None:
    """Raise when two materials of a class cannot be merged.

    Raises:
        UnsupportedOperationError: others name this kind in a way that no route changes.
    """
    fixed = [each for each in _naming(cls) if not associating.is_changeable(each)]
    if fixed:
        named = " and ".join(f"{each.owner.__name__}.{each.name}" for each in fixed)
        message = f"{cls._schema.kind.collection} cannot be merged: no route of the wire changes {named}."
        raise UnsupportedOperationError(message)


def _naming(cls: type[Record]) -> list[Relation[Any]]:
    """Return the relations of all kinds that lead to a class."""
    kinds: dict[type[Any], None] = dict.fromkeys(cls._registry.values())
    return [each for kind in kinds for each in kind._schema.relations.values() if each.target is cls]


def move(context: Context, into: R, other: R, progress: Progress | None = None) -> list[associating.Pair]:
    """Associate a material with all that another is associated with and it is not; return with which.

    Requests: one GET for each of the two, one for each relation that documents leave out, and one POST for each.
    """
    for each in (into, other):
        loading.load(context, each)
    pairs: list[associating.Pair] = []
    for relation in other._schema.many.values():
        if associating.is_changeable(relation):
            ids = relation_loading.related_ids(context, other, relation)
            known = {into.id, other.id, *relation_loading.related_ids(context, into, relation)} if ids else ()
            target: Any = relation.target
            pairs += [(relation, context.identity_map.ref(target, id)) for id in ids if id not in known]
    if pairs:
        associating.change(context, into, pairs, present=True, progress=progress)
    return pairs
