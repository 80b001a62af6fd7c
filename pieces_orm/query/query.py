"""Queries: what to ask of one kind, written by name, asked when it is iterated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from attrs import evolve

from ..errors import InvalidValueError, SeveralFoundError, UsageError
from ..model.relation import Relation
from ..orm import reading, relation_loading
from ..orm.context import Context
from ..orm.entity import Entity
from ..orm.relations import Many, One
from . import planning, running
from .conditions import tests_of
from .explaining import Explanation
from .ordering import order_of
from .planning import Statement

if TYPE_CHECKING:
    from ..sync.live import Live

E = TypeVar("E", bound=Entity)


class Query(Generic[E]):
    """A question about one kind: conditions, an order, a limit. Each method returns another query; this one stays.

    Nothing is sent before it is iterated, or one of `first`, `one`, `count`, `exists` and `ids` is called; each time it
    is asked anew. Without `order_by` the newest come first. Conditions are about what is saved, not about edits.
    """

    def __init__(self, context: Context, statement: Statement, relations: tuple[Relation[Any], ...] = ()) -> None:
        self._context = context
        self._statement = statement
        self._relations = relations

    def __repr__(self) -> str:
        st = self._statement
        parts = [*map(str, st.tests), *(f"where {getattr(each, '__name__', each)!s}" for each in st.predicates)]
        parts += [f"order by {', '.join(map(str, st.order))}"] if st.order else []
        parts += [f"from {st.offset}"] if st.offset else []
        parts += [f"at most {st.limit}"] if st.limit is not None else []
        return f"<query of {st.cls._schema.kind.collection}: {'; '.join(parts) or 'all'}>"

    def _with(self, statement: Statement) -> Query[E]:
        return Query(self._context, statement, self._relations)

    # Conditions and order ---------------------------------------------------------------------------------------------

    @overload
    def where(self, predicate: Callable[[E], object], /) -> Query[E]: ...
    @overload
    def where(self, **conditions: Any) -> Query[E]: ...
    def where(self, *predicates: Callable[[E], object], **conditions: Any) -> Query[E]:
        """Return the query with further conditions; all of them must hold.

        Args:
            predicates: functions of an entity; called for those that meet all other conditions, in order, until the
                limit is reached. What they read of an entity and is not loaded takes requests of its own.
            conditions: by name, as `query` takes them.

        Raises:
            InvalidValueError: there is no such field or relation, a value is of another type, or the query has a limit.
        """
        st = self._statement
        self._check_not_cut("where()")
        for each in predicates:
            if not callable(each):
                message = f"where takes functions of an entity, and conditions by name, not {each!r}."
                raise InvalidValueError(message)
        tests = tests_of(self._context, st.cls, conditions)
        return self._with(evolve(st, tests=(*st.tests, *tests), predicates=(*st.predicates, *predicates)))

    def order_by(self, *names: str) -> Query[E]:
        """Return the query in another order: by fields, None last, those with a minus before their name descending.

        What is equal is ordered by creation, the newest first.

        Args:
            names: of fields that are texts, numbers, truths or dates, such as "-updated"; none: by creation.

        Raises:
            InvalidValueError: there is no such field, it has no order, or the query has a limit.
        """
        self._check_not_cut("order_by()")
        return self._with(evolve(self._statement, order=order_of(self._statement.cls, names)))

    def _check_not_cut(self, call: str) -> None:
        if self._statement.is_cut:
            message = f"{call} comes before limit() and slices: it would change what they count."
            raise InvalidValueError(message)

    def limit(self, n: int) -> Query[E]:
        """Return the query for the first n only.

        Raises:
            InvalidValueError: n is not a number, or below zero.
        """
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            message = f"limit takes a number of materials, 0 or more, not {n!r}."
            raise InvalidValueError(message)
        return self._with(self._statement.sliced(0, n))

    def prefetch(self, *relations: Many[Any] | One[Any]) -> Query[E]:
        """Return the query that loads the missing targets of relations together, before the first entity is returned.

        The targets are held for as long as the iteration goes on; keep those that are wanted longer.

        Requests: those of `session.prefetch`, besides its own.

        Args:
            relations: declarations such as Asset.tags; one that starts at another class follows those before it.

        Raises:
            InvalidValueError: one is something else, or starts at none of the classes that are reached.
        """
        reached = {self._statement.cls, *(each.target for each in self._relations)}
        for relation in relations:
            if not isinstance(relation, Relation) or relation.owner not in reached:
                names = " or ".join(sorted(cls.__name__ for cls in reached))
                message = f"prefetch takes relations of {names}, such as Asset.tags, not {relation!r}."
                raise InvalidValueError(message)
            reached.add(relation.target)
        return Query(self._context, self._statement, (*self._relations, *relations))

    @overload
    def __getitem__(self, place: int) -> E: ...
    @overload
    def __getitem__(self, place: slice) -> Query[E]: ...
    def __getitem__(self, place: int | slice) -> E | Query[E]:
        """Return the query for a slice; for a number the entity in this place.

        Requests: none for a slice; for a number those of iterating over one.

        Raises:
            IndexError: there is none in this place.
            InvalidValueError: a place counts from the end, or there is a step.
        """
        if isinstance(place, slice):
            start, stop = place.start or 0, place.stop
            bounds = (start, 0 if stop is None else stop)
            if place.step in (None, 1) and all(isinstance(each, int) and each >= 0 for each in bounds):
                return self._with(self._statement.sliced(start, stop))
        elif isinstance(place, int) and place >= 0:
            for entity in self._with(self._statement.sliced(place, place + 1)):
                return entity
            message = f"there is no place {place} in {self!r}"
            raise IndexError(message)
        message = f"A query takes places from 0 on, without steps, not {place!r}: turn the order around, or use list()."
        raise InvalidValueError(message)

    # Answers --------------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[E]:
        """Iterate over the entities.

        Requests: those that `explain` tells; with `prefetch`, its own besides.
        """
        found = running.entities(self._context, self._statement)
        # Held here, because the session holds them weakly.
        held = relation_loading.prefetch(self._context, found, self._relations, None) if self._relations else found
        yield from found
        del held

    def __bool__(self) -> NoReturn:
        message = "A query is neither true nor false: ask exists(), or list() it."
        raise UsageError(message)

    def first(self) -> E | None:
        """Return the first entity; None when there is none.

        Requests: those of iterating over one.
        """
        return next(iter(self.limit(1)), None)

    def one(self) -> E:
        """Return the only entity.

        Requests: those of iterating over two.

        Raises:
            NotFoundError: there is none; `first()` returns None then.
            SeveralFoundError: there are several; add conditions, or call `first()`.
        """
        found = list(self.limit(2))
        if len(found) == 1:
            return found[0]
        if found:
            message = f"There are several for {self!r}: add conditions, or call first()."
            raise SeveralFoundError(message, ids=[each.id for each in found])
        message = f"Nothing matches {self!r}; first() returns None instead of this error."
        raise reading.missing(self._statement.cls._schema.kind, message, 404)

    def count(self) -> int:
        """Return how many there are.

        Requests: as iterating, but for documents that are not needed; no entities are made without predicates.
        """
        return running.count(self._context, self._statement)

    def exists(self) -> bool:
        """Tell whether there is one.

        Requests: those of `count` for one.
        """
        return running.count(self._context, self._statement.sliced(0, 1)) > 0

    def ids(self) -> tuple[str, ...]:
        """Return the ids, in order; no entities are made without predicates.

        Requests: as iterating, but for documents that are not needed.
        """
        return running.ids(self._context, self._statement)

    def explain(self) -> Explanation:
        """Return how the query is answered when iterated: the requests, what the server decides, what is decided here.

        Requests: none, or the one POST /connect that any first request makes: its answer tells what the server can.
        """
        known = running.known_extensions(self._context)
        return planning.explain(planning.plan(self._statement, "entities", known), known)

    def live(
        self,
        *,
        key: Callable[[E], Any] | None = None,
        where: Callable[[E], object] | None = None,
        reverse: bool | None = None,
    ) -> Live[E]:
        """Return a sorted list of what the query asks for that stays in step with the server until it is closed.

        Requests: those of `watch`, and one GET of the collection.

        Args:
            key: of an entity, what it is sorted by, None values last; None: the order of the query.
            where: of an entity, whether it is in the list; None: the query's conditions alone decide.
            reverse: whether the greatest comes first; only with a key.

        Raises:
            InvalidValueError: the query has a limit, or an order besides a key.
        """
        from .live import live  # noqa: PLC0415 nobody who keeps no list in step pays for it

        return live(self._context, self._statement, key=key, where=where, reverse=reverse)


def query_of(context: Context, cls: type[E], unnamed: Sequence[Any], conditions: Mapping[str, Any]) -> Query[E]:
    """Return the query of a kind with some conditions.

    Raises:
        InvalidValueError: there is no such field or relation, or a value is of another type, or has no name.
    """
    if unnamed:
        message = f"query takes conditions by name, such as query(created=after(monday)), not {unnamed[0]!r}."
        raise InvalidValueError(message)
    return Query(context, Statement(cls, tests_of(context, cls, conditions)))
