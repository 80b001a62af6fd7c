"""Plan a query: which requests it takes, what the server decides of it, and what is decided here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

from attrs import evolve, frozen

from ..model.fields import Field
from ..orm.entity import Entity
from ..orm.reading import MAX_BATCH_SIZE
from ..wire import extensions
from ..wire.kinds import WORKSTREAM_EVENT, Route
from . import learning, translation
from .conditions import AnyOf, FieldTest, RelationTest, Test, leaves
from .explaining import Explanation, request_text
from .natural_keys import place_of
from .ordering import OrderKey

# Places beyond this are none: nobody has as many materials, and what counts them takes no larger numbers.
_MAX_PLACE = 2**53
# From this number of ids on, the whole collection costs less than reading each.
MAX_IN_BATCHES = 500

Answer = Literal["entities", "ids", "count"]


@frozen
class Statement:
    """Conditions, order and limit of a query on one kind."""

    cls: type[Entity]
    tests: tuple[Test, ...] = ()
    predicates: tuple[Callable[[Any], Any], ...] = ()
    order: tuple[OrderKey, ...] = ()
    offset: int = 0
    limit: int | None = None

    def sliced(self, start: int, stop: int | None) -> Statement:
        """Return the statement for a part of what this one asks for."""
        start = min(start, _MAX_PLACE)
        rest = None if stop is None else max(0, min(stop, _MAX_PLACE) - start)
        left = None if self.limit is None else max(0, self.limit - start)
        limits = [each for each in (rest, left) if each is not None]
        return evolve(self, offset=min(self.offset + start, _MAX_PLACE), limit=min(limits, default=None))

    @property
    def is_cut(self) -> bool:
        """True if it asks for a part only."""
        return self.limit is not None or self.offset > 0


@frozen
class Plan:
    """The way to the materials that a statement asks for.

    Attributes:
        way: "query": POST to the query route of the embedded server. "identifiers": the ids are the answer. "newest":
            ids of the newest, then their documents. "window": ids of a time, then their documents. "collection": all
            documents.
        sent: tests that the server decides; in a "window" they are decided here again.
        here: tests that are decided here.
        sends_order, sends_limit: whether the server sorts and cuts.
        in_parts: whether ids come first, in order, and documents as far as they are needed.
        contents: whether documents are asked for with contents.
    """

    statement: Statement
    answer: Answer
    way: Literal["query", "identifiers", "newest", "window", "collection"]
    sent: tuple[Test, ...] = ()
    here: tuple[Test, ...] = ()
    sends_order: bool = False
    sends_limit: bool = False
    in_parts: bool = False
    contents: bool = False

    @property
    def read(self) -> list[Field]:
        """The fields that are read here."""
        st = self.statement
        found = [leaf.spec for test in self.here for leaf in leaves(test) if isinstance(leaf, FieldTest)]
        return found if self.sends_order or self.answer == "count" else [*found, *(key.spec for key in st.order)]

    @property
    def all_query(self) -> dict[str, Any]:
        """The query of the collection's route."""
        known = self.statement.cls._schema.kind.route("all").query
        query: dict[str, Any] = {"transferables": self.contents} if "transferables" in known else {}
        if "pseudo" in known and names_pseudo(self.statement.tests):
            query["pseudo"] = True
        return query


def names_pseudo(tests: Sequence[Test]) -> bool:
    """Tell whether tests ask for pseudo materials, which are left out otherwise."""
    return any(isinstance(leaf, FieldTest) and leaf.spec.name == "pseudo" for test in tests for leaf in leaves(test))


def plan(statement: Statement, answer: Answer, known: Collection[str]) -> Plan:
    """Return the way for a statement, given the extensions that the server has."""
    is_bare = not statement.tests and not statement.predicates
    if extensions.QUERY in known:
        return _by_query(statement, answer)
    if is_bare and answer == "count" and "ids" in statement.cls._schema.kind.routes:
        return Plan(statement, answer, "identifiers")
    if statement.cls._schema.kind is WORKSTREAM_EVENT:
        newest = not statement.order or [(k.spec.name, k.descending) for k in statement.order] == [("created", True)]
        if is_bare and newest and statement.offset == 0 and (statement.limit or MAX_IN_BATCHES) < MAX_IN_BATCHES:
            return Plan(statement, answer, "newest", sends_order=True, sends_limit=True)
    found = _by_window(statement, answer) or Plan(statement, answer, "collection", here=statement.tests)
    return evolve(found, contents=any(spec.contents for spec in found.read))


def _by_query(statement: Statement, answer: Answer) -> Plan:
    sent, here = translation.sendable(statement.tests)
    if names_pseudo(here) and not names_pseudo(sent):
        # The server leaves pseudo materials out of what it answers unless a condition that it gets names them.
        sent, here = translation.sendable([_either(statement.cls._schema.fields["pseudo"]), *statement.tests])
    in_order = answer == "count" or all(translation.key_of(key.spec) for key in statement.order)
    rests = bool(here or statement.predicates)
    found = Plan(
        statement, answer, "query", sent, here, sends_order=in_order, sends_limit=in_order and not rests,
        in_parts=in_order and rests and statement.limit is not None,
    )  # fmt: skip
    return evolve(found, contents=any(spec.contents for spec in found.read))


def _either(flag: Field) -> FieldTest:
    """Return the test of a truth that everything meets."""
    return FieldTest(flag, "one_of", (True, False, None))


def _by_window(statement: Statement, answer: Answer) -> Plan | None:
    """Return the way by the ids of a time, where the wire has such windows; their bounds are inclusive."""
    query = window_of(statement.cls, statement.tests)
    return Plan(statement, answer, "window", here=statement.tests) if query else None


def window_of(cls: type[Entity], tests: Sequence[Test]) -> dict[str, str]:
    """Return the query for the ids of materials of a time that tests bound; empty without such bounds.

    Windows on creation and on update are alternatives on the wire, so that only one of them is asked for.
    """
    ids = cls._schema.kind.routes.get("ids")
    for name in ("created", "updated"):
        if ids is None or f"{name}_from" not in ids.query:
            return {}
        query: dict[str, str] = {}
        for test in tests:
            if isinstance(test, FieldTest) and test.spec.name == name and test.form in ("after", "before", "between"):
                first = test.values[0] if test.form in ("after", "between") else None
                last = test.values[-1] if test.form in ("before", "between") else None
                query |= {f"{name}_from": first.isoformat()} if first is not None else {}
                query |= {f"{name}_to": last.isoformat()} if last is not None else {}
        if query:
            return query
    return {}


def newest_query(statement: Statement) -> dict[str, int]:
    """Return the query for the ids of the newest: one more than wanted shows whether the last has its equals."""
    return {"limit": (statement.limit or 0) + 1}


# Explaining ---------------------------------------------------------------------------------------------------------


def explain(plan: Plan, known: Collection[str]) -> Explanation:
    """Return the requests of a plan, and who decides what."""
    st, kind = plan.statement, plan.statement.cls._schema.kind
    requests = _key_requests(plan.sent, known, are_sent=True) + _key_requests(plan.here, known, are_sent=False)
    batch = [request_text(route, note=f"for each {MAX_BATCH_SIZE}") for route in _batch_routes(plan)]
    if plan.way == "query":
        requests += [request_text(extensions.query_route(kind)), *(batch if plan.in_parts else [])]
    elif plan.way == "collection":
        requests.append(request_text(kind.route("all"), query=plan.all_query))
    else:
        query = newest_query(st) if plan.way == "newest" else window_of(st.cls, st.tests)
        requests.append(request_text(kind.route("ids"), query=query))
        if plan.way == "newest":
            requests.append(request_text(kind.route("ids"), note="for those as new as the last"))
        if plan.way != "identifiers":
            requests += batch
    if plan.way == "window":
        requests.append(request_text(kind.route("all"), query=plan.all_query, note="instead, for many"))
    requests += learning.requests(st.cls, [leaf for test in plan.here for leaf in leaves(test)], plan.read)
    by_server = [*map(str, plan.sent)]
    by_us = [*map(str, plan.here), *(f"where({getattr(each, '__name__', each)})" for each in st.predicates)]
    order = f"order by {', '.join(map(str, st.order)) or '-created'}"
    cut = ", ".join([f"from place {st.offset}"] * (st.offset > 0) + [f"at most {st.limit}"] * (st.limit is not None))
    (by_server if plan.sends_order else by_us).append(order)
    if st.is_cut:
        (by_server if plan.sends_limit else by_us).append(cut)
    if plan.way == "window":
        by_server.append("the stretch of time")
    return Explanation(kind.collection, tuple(requests), tuple(by_server), tuple(by_us))


def _batch_routes(plan: Plan) -> list[Route]:
    kind = plan.statement.cls._schema.kind
    return [kind.routes.get("batch", kind.newer_batch), kind.route("read")]


def _key_requests(tests: Sequence[Test], known: Collection[str], *, are_sent: bool) -> list[str]:
    """Return the requests that look up natural keys; some may be sent as they are."""
    found: list[str] = []
    for leaf in (leaf for test in tests for leaf in leaves(test)):
        if isinstance(leaf, RelationTest) and leaf.keys and not (are_sent and translation.has_labels(leaf)):
            found += explain(plan(*key_statement(leaf, leaf.keys), known), known).requests
    return found


def key_statement(test: RelationTest, keys: tuple[str, ...]) -> tuple[Statement, Answer]:
    """Return the statement that finds the materials with natural keys."""
    place = place_of(test.relation.target)
    tests = tuple(FieldTest(spec, "one_of", keys) for spec in place.specs)
    statement = Statement(place.cls, (tests[0] if len(tests) == 1 else AnyOf(tests),))
    return statement, "entities" if place.owner else "ids"
