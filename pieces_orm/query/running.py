"""Run a query: send what the server decides, decide the rest over documents, make entities of what is left."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from attrs import evolve

from ..documents import answers, decoding, page_stream
from ..documents.document import Document
from ..model.fields import Field
from ..orm import reading, state_changes
from ..orm.context import Context
from ..transport.connection import NoExtensionError
from ..wire import extensions
from . import learning, translation
from .conditions import AnyOf, RelationTest, Test, leaves, replaced
from .deciding import Candidate, Decider, decider
from .natural_keys import place_of
from .ordering import sort_key
from .planning import MAX_IN_BATCHES, Answer, Plan, Statement, key_statement, newest_query, plan, window_of

T = TypeVar("T")


def entities(context: Context, statement: Statement) -> list[Any]:
    """Return the entities that a statement asks for; others are not made."""
    return _planned(context, statement, "entities", _entities)


def ids(context: Context, statement: Statement) -> tuple[str, ...]:
    """Return the ids of what a statement asks for, in order."""
    return _planned(context, statement, "ids", _ids)


def count(context: Context, statement: Statement) -> int:
    """Return the number of materials that a statement asks for."""
    return _planned(context, statement, "count", _count)


def known_extensions(context: Context) -> frozenset[str]:
    """Return the extensions of the server.

    Requests: none, or the one POST /connect that any first request makes: its answer names them.
    """
    _ = context.connection.application
    return context.connection.extensions


def _planned(context: Context, statement: Statement, answer: Answer, run: Callable[[Context, Plan, int], T]) -> T:
    known = known_extensions(context)
    try:
        return _run(context, statement, answer, known, run)
    except NoExtensionError:
        # Another server answers now.
        return _run(context, statement, answer, frozenset(), run)


def _run(
    context: Context,
    statement: Statement,
    answer: Answer,
    known: frozenset[str],
    run: Callable[[Context, Plan, int], T],
) -> T:
    # Before planning, because many materials may have a key: the server takes only so many ids.
    statement = _looked_up(context, statement, known)
    with context.history.request() as number:
        return run(context, plan(statement, answer, known), number)


def _entities(context: Context, plan: Plan, number: int) -> list[Any]:
    cls = plan.statement.cls
    if plan.statement.predicates:
        return [entity for _, entity in _admitted(context, plan, number)]
    page = [(each.id, each.document) for each in _cut(plan, _candidates(context, plan))]
    return state_changes.adopt_page(context, cls, page, number, "refresh")


def _ids(context: Context, plan: Plan, number: int) -> tuple[str, ...]:
    if plan.statement.predicates:
        return tuple(entity.id for _, entity in _admitted(context, plan, number))
    if plan.way == "query" and not plan.here and plan.sends_order:
        return answers.listed_ids(_ask(context, plan, "identifiers"), plan.statement.cls._schema.kind.name)
    return tuple(each.id for each in _cut(plan, _candidates(context, plan)))


def _count(context: Context, plan: Plan, number: int) -> int:
    st, kind = plan.statement, plan.statement.cls._schema.kind
    if plan.way == "query" and plan.sends_limit:
        found = answers.number(_ask(context, plan, "count"), "count", kind.name)
    elif plan.way == "identifiers":
        found = len(_part(st, reading.read_ids(context.connection, kind, {})))
    elif st.predicates:
        found = sum(1 for _ in _admitted(context, plan, number))
    else:
        found = sum(1 for _ in _cut(plan, _candidates(context, plan)))
    return found


# Cutting ------------------------------------------------------------------------------------------------------------


def _part(statement: Statement, found: Sequence[str]) -> Sequence[str]:
    return found[statement.offset :][: statement.limit]


def _cut(plan: Plan, found: Iterator[T]) -> Iterator[T]:
    """Yield the part of what was found that a plan asks for."""
    st = plan.statement
    if plan.sends_limit and plan.way == "query":
        return found
    return islice(found, st.offset, None if st.limit is None else st.offset + st.limit)


def _admitted(context: Context, plan: Plan, number: int) -> Iterator[tuple[Candidate, Any]]:
    """Yield the part that a plan asks for of those candidates that its predicates admit, each with its entity."""
    st = plan.statement

    def admitted() -> Iterator[tuple[Candidate, Any]]:
        for each in _candidates(context, plan):
            for entity in state_changes.adopt_page(context, st.cls, [(each.id, each.document)], number, "refresh"):
                if all(predicate(entity) for predicate in st.predicates):
                    yield each, entity

    return _cut(plan, admitted())


# Candidates ---------------------------------------------------------------------------------------------------------


def _candidates(context: Context, plan: Plan) -> Iterator[Candidate]:
    """Yield the materials that meet the tests of a plan, in its order; as few documents as possible are read."""
    here = [_without_keys(context, each) for each in plan.here]
    if plan.in_parts:
        kind = plan.statement.cls._schema.kind
        listed = answers.listed_ids(_ask(context, plan, "identifiers"), kind.name)
        parts = (listed[at : at + reading.MAX_BATCH_SIZE] for at in range(0, len(listed), reading.MAX_BATCH_SIZE))
        return (each for part in parts for each in _decided(context, plan, here, _read(context, plan, part)))
    found = _decided(context, plan, here, _documents(context, plan))
    if not plan.sends_order and plan.answer != "count":
        learning.learn_fields(context, plan.statement.cls, found, [key.spec for key in plan.statement.order])
    if plan.answer != "count" and not (plan.way == "query" and plan.sends_order):
        found.sort(key=functools.partial(sort_key, plan.statement.cls, plan.statement.order))
    return iter(found)


def _decided(context: Context, plan: Plan, tests: Sequence[Test], found: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that meet all tests; what documents leave out is asked for of those that are left."""
    left = list(found)
    for test in sorted(tests, key=_cost):
        decide: Decider = decider(learning.settled(context, plan.statement.cls, left, test))
        left = [each for each in left if decide(each)]
    return left


def _cost(test: Test) -> int:
    """Return the place of a test among others: relations and contents may have to be asked for, so they come last."""
    costs = (2 if isinstance(leaf, RelationTest) else type(leaf.spec) is not Field for leaf in leaves(test))
    return max(costs, default=0)


def _documents(context: Context, plan: Plan) -> list[Candidate]:
    st, kind = plan.statement, plan.statement.cls._schema.kind
    if plan.way == "query":
        take = functools.partial(page_stream.read, kind=kind.name, contents=plan.contents)
        route, body = extensions.query_route(kind), _question(plan, "documents")
        page = context.connection.take(route, None, take, body=body, extension=extensions.QUERY)
        return [Candidate(*each) for each in page]
    if plan.way == "newest":
        return _newest(context, plan)
    if plan.way == "window":
        listed = reading.read_ids(context.connection, kind, window_of(st.cls, st.tests))
        if len(listed) <= MAX_IN_BATCHES:
            return _read(context, plan, listed)
    query = plan.all_query
    take = functools.partial(page_stream.read, kind=kind.name, contents=reading.has_contents(query))
    return [Candidate(*each) for each in context.connection.take(kind.route("all"), query, take)]


def _newest(context: Context, plan: Plan) -> list[Candidate]:
    """Read the newest by a limit of the wire, which leaves open which of those are listed that are equally new."""
    st, kind = plan.statement, plan.statement.cls._schema.kind
    limit = st.limit or 0
    listed = reading.read_ids(context.connection, kind, newest_query(st))
    found = _read(context, plan, listed[: limit + 1])
    moments = [each.value(st.cls._schema.fields["created"]) for each in found]
    if 0 < limit < len(found) and moments[limit] == moments[limit - 1]:
        moment = moments[limit].isoformat()
        equally_new = reading.read_ids(context.connection, kind, {"created_from": moment, "created_to": moment})
        found += _read(context, plan, [id for id in equally_new if id not in listed])
    return found


def _read(context: Context, plan: Plan, listed: Sequence[str]) -> list[Candidate]:
    """Read the documents of some materials; those that are gone meanwhile are left out."""
    kind = plan.statement.cls._schema.kind
    found: dict[str, Document] = {}
    for start in range(0, len(listed), reading.MAX_BATCH_SIZE):
        some = listed[start : start + reading.MAX_BATCH_SIZE]
        found |= reading.read_few(context.connection, kind, some, transferables=plan.contents)
    return [Candidate(id, found[id]) for id in listed if id in found]


def _ask(context: Context, plan: Plan, answer: str) -> bytes:
    """Ask the query route of the server for a short answer."""
    return context.connection.call(
        extensions.query_route(plan.statement.cls._schema.kind),
        body=_question(plan, answer), repeatable=True, extension=extensions.QUERY,
    )  # fmt: skip


def _question(plan: Plan, answer: str) -> bytes:
    """Return the body of a request to the query route."""
    st = plan.statement
    body: dict[str, Any] = {"where": translation.conditions(plan.sent), "answer": answer}
    if plan.sends_order and plan.answer != "count":
        body["order"] = translation.order(st.order)
    if plan.sends_limit:
        body |= {"offset": st.offset} if st.offset else {}
        body |= {"limit": st.limit} if st.limit is not None else {}
    if answer == "documents":
        body["transferables"] = plan.contents
    return decoding.encode(body)


# Natural keys -------------------------------------------------------------------------------------------------------


def _looked_up(context: Context, statement: Statement, known: frozenset[str]) -> Statement:
    """Return a statement without those natural keys that the server does not know."""

    def replace(leaf: RelationTest) -> Test:
        is_known = extensions.QUERY in known and translation.has_labels(leaf)
        return leaf if is_known else _with_ids(context, leaf)

    return evolve(statement, tests=tuple(replaced(test, replace) for test in statement.tests))


def _without_keys(context: Context, test: Test) -> Test:
    return replaced(test, lambda leaf: _with_ids(context, leaf))


def _with_ids(context: Context, test: RelationTest) -> Test:
    """Return a test with ids in the places of natural keys, which several materials may share."""
    if not test.keys:
        return test
    statement, answer = key_statement(test, test.keys)
    place = place_of(test.relation.target)
    if answer == "ids":
        found = list(ids(context, statement))
    else:
        owner = place.cls._schema.relations[place.owner]
        known = plan(statement, answer, known_extensions(context))
        points = list(_candidates(context, known))
        found = [id for point in points for id in point.related(owner)]
    listed = tuple(dict.fromkeys([*test.ids, *found]))
    return RelationTest(test.relation, ids=listed) if listed else AnyOf(())
