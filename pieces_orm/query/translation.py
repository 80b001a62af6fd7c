"""Queries as the embedded server reads them: which conditions and orders it decides, and how they are spelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..entities.asset_fields import LanguageField
from ..model.fields import Field
from ..values import OpenEnum
from ..wire import extensions
from .conditions import AnyOf, Not, RelationTest, Test
from .ordering import OrderKey

_TYPES: Sequence[tuple[type, extensions.Type]] = (
    (bool, "boolean"), (str, "text"), (datetime, "moment"), (int, "number"), (float, "number"),
)  # fmt: skip


def type_of(spec: Field) -> extensions.Type | None:
    """Return the name of a field's type; None for others than texts, numbers, truths and moments."""
    found = {name for cls in spec.types for known, name in _TYPES[:4] if issubclass(cls, known)}
    if bool in spec.types:
        found -= {"number"}
    return found.pop() if len(found) == 1 and len(spec.types) == 1 else None


def key_of(spec: Field) -> str | None:
    """Return the key of a field on the server; None where the server does not look at it."""
    if isinstance(spec, LanguageField):
        return extensions.LANGUAGE_KEY
    is_own = type(spec) is Field and not spec.contents and "|" not in spec.wire
    if not is_own or type_of(spec) is None:
        return None
    return f"{spec.wire}.value" if datetime in spec.types else spec.wire


def has_labels(test: RelationTest) -> bool:
    """Tell whether the server knows the natural keys of a relation's targets."""
    return test.relation.target._schema.kind in extensions.LABELLED_KINDS


# Conditions ---------------------------------------------------------------------------------------------------------


def sendable(tests: Sequence[Test]) -> tuple[tuple[Test, ...], tuple[Test, ...]]:
    """Split tests into those that the server decides and the others."""
    sent: list[Test] = []
    here: list[Test] = []
    conditions = values = 0
    for test in tests:
        size = _size(test)
        fits = conditions + size[0] <= extensions.MAX_CONDITIONS and values + size[1] <= extensions.MAX_VALUES
        if fits and _depth(test) <= extensions.MAX_DEPTH and _can_decide(test):
            sent.append(test)
            conditions, values = conditions + size[0], values + size[1]
        else:
            here.append(test)
    return tuple(sent), tuple(here)


def _can_decide(test: Test) -> bool:
    if isinstance(test, Not):
        return _can_decide(test.test)
    if isinstance(test, AnyOf):
        return all(_can_decide(each) for each in test.tests)
    if isinstance(test, RelationTest):
        return extensions.relation_key(test.relation.owner._schema.kind, test.relation.name) is not None
    return key_of(test.spec) is not None


def _size(test: Test) -> tuple[int, int]:
    """Return the number of conditions and of values that a test takes, at most."""
    if isinstance(test, Not):
        conditions, values = _size(test.test)
        return conditions + 1, values
    if isinstance(test, AnyOf):
        sizes = [_size(each) for each in test.tests]
        return 1 + sum(size[0] for size in sizes), sum(size[1] for size in sizes)
    return (3, len(test.ids) + len(test.keys)) if isinstance(test, RelationTest) else (2, len(test.values))


def _depth(test: Test) -> int:
    if isinstance(test, Not):
        return 1 + _depth(test.test)
    if isinstance(test, AnyOf):
        return 1 + max(map(_depth, test.tests), default=0)
    return 1 if isinstance(test, RelationTest) else 0


def conditions(tests: Sequence[Test]) -> list[dict[str, Any]]:
    """Return tests as the server reads them; natural keys that it does not know are looked up before."""
    return [_condition(test) for test in tests]


def _condition(test: Test) -> dict[str, Any]:
    if isinstance(test, Not):
        return {"not": _condition(test.test)}
    if isinstance(test, AnyOf):
        return {"any_of": [_condition(each) for each in test.tests]}
    if isinstance(test, RelationTest):
        return _relation_condition(test)
    values = [_sent(value) for value in test.values]
    head = {"key": key_of(test.spec), "type": type_of(test.spec)}
    if test.form == "between":
        return head | {"from": values[0], "to": values[1]}
    return head | {test.form: values if test.form == "one_of" else values[0]}


def _relation_condition(test: RelationTest) -> dict[str, Any]:
    name = test.relation.name
    if test.is_empty:
        return {"relation": name, "empty": True}
    parts: list[dict[str, Any]] = []
    parts += [{"relation": name, "any": list(test.ids)}] if test.ids else []
    parts += [{"relation": name, "labels": list(test.keys)}] if test.keys else []
    return parts[0] if len(parts) == 1 else {"any_of": parts}


def _sent(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, OpenEnum) else value


def order(keys: Sequence[OrderKey]) -> list[dict[str, Any]]:
    """Return an order as the server reads it."""
    return [{"by": key_of(key.spec), "type": type_of(key.spec), "descending": key.descending} for key in keys]
