"""Live lists of what a query asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from ..errors import InvalidValueError
from ..orm import loading, relation_loading
from ..orm.context import Context
from ..orm.entity import Entity
from ..sync.live import Live
from .conditions import RelationTest, leaves
from .deciding import Living, decider
from .ordering import sort_key
from .planning import Statement, names_pseudo

E = TypeVar("E", bound=Entity)


def live(
    context: Context,
    statement: Statement,
    *,
    key: Callable[[E], Any] | None,
    where: Callable[[E], object] | None,
    reverse: bool | None,
) -> Live[E]:
    """Return the live list of what a statement asks for.

    Raises:
        InvalidValueError: it asks for a part, or an argument is something else.
    """
    _check(statement, key, where, reverse)
    cls: Any = statement.cls
    order: Callable[[Any], Any] = attrgetter("created" if "created" in cls._schema.fields else "id")
    if statement.order:
        order = _by_order(statement)
    elif key is not None:
        order = key
    backwards = (key is None and not statement.order) if reverse is None else reverse
    read = _reader(context, statement)
    return Live(context, cls, read, key=order, where=_condition(statement, where), reverse=backwards)


def _check(statement: Statement, key: object, where: object, reverse: object) -> None:
    for name, given in (("key", key), ("where", where)):
        if given is not None and not callable(given):
            message = f"{name} takes a function, not {given!r}."
            raise InvalidValueError(message)
    if statement.is_cut:
        message = "A live list has all that meets the conditions: leave out limit() and slices, and slice the list."
        raise InvalidValueError(message)
    if statement.order and (key is not None or reverse is not None):
        message = "A live list is sorted by order_by() or by key= and reverse=, not by both."
        raise InvalidValueError(message)


def _condition(statement: Statement, where: Callable[[Any], object] | None) -> Callable[[Any], bool] | None:
    """Return the function that tells whether an entity is in the list; None where all are."""
    predicates = [*statement.predicates, *([] if where is None else [where])]
    deciders = [decider(test) for test in statement.tests]

    def wanted(entity: Any) -> bool:
        material = Living(entity)
        return all(decide(material) for decide in deciders) and all(predicate(entity) for predicate in predicates)

    return wanted if deciders or predicates else None


def _reader(context: Context, statement: Statement) -> Callable[[], list[Any]]:
    """Return the function that reads all entities, and together what conditions look at in relations."""
    query = {"pseudo": True} if names_pseudo(statement.tests) else {}
    related = [leaf for test in statement.tests for leaf in leaves(test) if isinstance(leaf, RelationTest)]
    held: list[Any] = []

    def read() -> list[Any]:
        found = loading.snapshot(context, statement.cls, query, None)
        held[:] = _load_related(context, found, related)
        return found

    return read


def _load_related(context: Context, entities: list[Any], tests: Sequence[RelationTest]) -> list[Any]:
    """Load together what tests look at in relations; return what has the natural keys, which is to be held for them."""
    held: list[Any] = []
    for test in tests:
        natural = test.relation.target._natural_key
        if test.keys and natural is not None:
            through = [test.relation.target._schema.relations[natural.through]] if natural.through else []
            held += relation_loading.prefetch(context, entities, [test.relation, *through], None)[len(entities) :]
        elif test.relation.is_many:
            unknown = [each for each in entities if not getattr(each, test.relation.name).known]
            relation_loading.read_missing_ids(context, test.relation, unknown)
    return held


def _by_order(statement: Statement) -> Callable[[Any], Any]:
    return lambda entity: sort_key(statement.cls, statement.order, Living(entity))
