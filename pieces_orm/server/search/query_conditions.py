"""Conditions of a query as JSON, and the statements that they become; each is true or false, never NULL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field
from sqlalchemy import ColumnElement, and_, false, func, not_, null, or_, select, true

from ...wire.extensions import (
    CREATED_KEY,
    FORMS,
    LABELLED_KINDS,
    LANGUAGE_KEY,
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_VALUES,
    UPDATED_KEY,
    Type,
    relation_key,
)
from ...wire.kinds import ASSET, SHARE, Kind
from ..domain.relations import RelationEnd, end_of, server_keys
from ..request_errors import RequestError
from ..storage.json_keys import as_number, key_value, moment_text
from ..storage.tables import edge, material

Test = ColumnElement[bool]
Value = str | int | float | None

_PATH = re.compile(r"[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100}){0,9}")
_DATES = {"created": material.c.created, "updated": material.c.updated}
_DATES |= {CREATED_KEY: material.c.created, UPDATED_KEY: material.c.updated}
_FIXED_TYPES = {"id": "text", LANGUAGE_KEY: "text", **dict.fromkeys(_DATES, "moment")}
_TYPES: Mapping[str, tuple[type, ...]] = {"text": (str,), "number": (int, float), "boolean": (bool,), "moment": (str,)}
_COMPARISONS: Mapping[str, Callable[[ColumnElement[Any], Any], Test]] = {
    "after": lambda found, value: found > value,
    "before": lambda found, value: found < value,
    "from": lambda found, value: found >= value,
    "to": lambda found, value: found <= value,
    "contains": lambda found, value: func.instr(found, value) > 0,
    "startswith": lambda found, value: func.instr(found, value) == 1,
}
NULL: ColumnElement[Any] = null()
"""A key that no document of a kind has."""


@define
class ConditionReader:
    """Reads the conditions of one query, and counts what they ask for.

    Attributes:
        keys: that conditions name.
    """

    kind: Kind
    keys: set[str] = field(init=False, factory=set)
    _conditions: int = field(init=False, default=0)
    _values: int = field(init=False, default=0)

    def read(self, condition: Any, depth: int = 0) -> Test:
        """Read a condition.

        Raises:
            RequestError: 400, it is malformed, names what cannot be decided, or asks for too much.
        """
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS or depth > MAX_DEPTH:
            sentence = f"A query has at most {MAX_CONDITIONS} conditions, nested at most {MAX_DEPTH} deep."
            raise RequestError(400, sentence)
        if not isinstance(condition, Mapping):
            raise RequestError(400, f"A condition must be a JSON object, not {_shown(condition)}.")
        if "key" in condition:
            return self._of_key(condition)
        if "relation" in condition:
            return self._of_relation(condition)
        if condition.keys() == {"not"}:
            return not_(self.read(condition["not"], depth + 1))
        if condition.keys() == {"any_of"} and isinstance(condition["any_of"], list):
            return or_(false(), *(self.read(each, depth + 1) for each in condition["any_of"]))
        raise RequestError(400, f"A condition has a key, a relation, any_of or not; this one is {_shown(condition)}.")

    # Keys -----------------------------------------------------------------------------------------------------------

    def _of_key(self, condition: Mapping[str, Any]) -> Test:
        path: Any = condition["key"]
        type: Any = condition.get("type")
        found = key_of(self.kind, path, type)
        self.keys.add(path)
        forms = condition.keys() - {"key", "type"}
        unknown = sorted(forms.difference(FORMS[type]))
        if unknown or not forms:
            possible = ", ".join(FORMS[type])
            raise RequestError(400, f"A condition on a {type} has one of {possible}, not {', '.join(unknown)}.")
        return and_(*(self._compared(path, type, found, form, condition[form]) for form in sorted(forms)))

    def _compared(self, path: str, type: Any, found: ColumnElement[Any], form: str, given: Any) -> Test:
        if form == "one_of":
            if not isinstance(given, list):
                raise RequestError(400, f"one_of of {path} must be a list.")
            return _is_one_of(found, [self._value(path, type, each, optional=True) for each in given])
        value = self._value(path, type, given, optional=form in ("is", "is_not"))
        if form in ("is", "is_not"):
            test = _is_one_of(found, [value])
            return test if form == "is" else not_(test)
        return and_(_COMPARISONS[form](found, value), found.is_not(None))

    def _value(self, path: str, type: Type, given: Any, *, optional: bool) -> Value:
        self._count(1)
        if given is None and optional:
            return None
        is_typed = isinstance(given, _TYPES[type]) and (type == "boolean" or not isinstance(given, bool))
        value = moment_text(given) if is_typed and type == "moment" else given
        if not is_typed or value is None:
            raise RequestError(400, f"{_shown(given)} is no {type}, which {path} is compared with.")
        return value if isinstance(value, str) else as_number(value)

    def _count(self, number: int) -> None:
        self._values += number
        if self._values > MAX_VALUES:
            raise RequestError(400, f"A query has at most {MAX_VALUES} values, ids and labels.")

    # Relations ------------------------------------------------------------------------------------------------------

    def _of_relation(self, condition: Mapping[str, Any]) -> Test:
        name = condition["relation"]
        key = relation_key(self.kind, name) if isinstance(name, str) else None
        if key is None or len(condition) != 2:
            raise RequestError(400, f"{_shown(condition)} names no relation of a {self.kind.name}, or no one form.")
        end = end_of(self.kind, *key.split("."))
        ((form, given),) = ((form, given) for form, given in condition.items() if form != "relation")
        if form == "empty" and isinstance(given, bool):
            return not_(_has_any(end)) if given else _has_any(end)
        if isinstance(given, list) and all(isinstance(each, str) for each in given):
            self._count(len(given))
            if form == "any":
                return _has_any(end, lambda other: other.in_(given))
            if form == "labels" and end.other in LABELLED_KINDS:
                labelled = material.alias("labelled")
                ids = select(labelled.c.id).where(labelled.c.kind == end.other.name, labelled.c.label.in_(given))
                return _has_any(end, lambda other: other.in_(ids))
        kinds = " and ".join(each.collection for each in LABELLED_KINDS)
        sentence = f"A condition on a relation has any (ids), empty (true or false) or, of {kinds}, labels (texts)"
        raise RequestError(400, f"{sentence}, not {_shown(condition)}.")


def key_of(kind: Kind, path: Any, type: Any) -> ColumnElement[Any]:
    """Select the value of a key of a kind's documents.

    Raises:
        RequestError: 400, it is no key that is decided here, or of no type.
    """
    if type not in _TYPES:
        raise RequestError(400, f"type must be one of {', '.join(_TYPES)}, not {_shown(type)}.")
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise RequestError(400, f"A key is a path of names with dots between them, not {_shown(path)}.")
    if type != _FIXED_TYPES.get(path, type):
        raise RequestError(400, f"{path} is of type {_FIXED_TYPES[path]}, not {type}.")
    if path == "id":
        return material.c.id
    if path in _DATES:
        # The documents of shares do not have it.
        return NULL if kind is SHARE and _DATES[path] is material.c.updated else _DATES[path]
    if kind is ASSET and path == LANGUAGE_KEY:
        return material.c.label
    if path.partition(".")[0] in server_keys(kind):
        raise RequestError(400, f"{path} is not among the own keys of a {kind.name}, which conditions are about.")
    return key_value(path, type)


def _is_one_of(found: ColumnElement[Any], values: Sequence[Value]) -> Test:
    given = [value for value in values if value is not None]
    test: Test = false()
    if given:
        # Together they are never NULL, and the first of them can still use an index.
        test = and_(found == given[0] if len(given) == 1 else found.in_(given), found.is_not(None))
    return or_(test, found.is_(None)) if None in values else test


def _has_any(end: RelationEnd, restrict: Callable[[ColumnElement[str]], Test] = lambda _: true()) -> Test:
    """Test for a member of a relation that a restriction of its id fits; a single one is the first."""
    tests: list[Test] = []
    for own, other in (("a", "b"), ("b", "a")):
        if end.side in (own, "both"):
            at = (edge.c[f"kind_{own}"] == _owner(end, own), edge.c.relation == end.relation.name)
            members = select(edge.c[f"id_{own}"]).where(*at, restrict(edge.c[f"id_{other}"]))
            test: Test = material.c.id.in_(members)
            if not end.many:
                first = select(edge.c[f"id_{other}"]).where(*at, edge.c[f"id_{own}"] == material.c.id)
                first = first.order_by(edge.c.seq).limit(1).correlate(material)
                test = and_(test, restrict(first.scalar_subquery()))
            tests.append(test)
    return or_(*tests)


def _owner(end: RelationEnd, side: str) -> str:
    return (end.relation.a if side == "a" else end.relation.b).name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
