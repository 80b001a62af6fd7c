"""Conditions of a query: read from arguments and checked, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, Literal, TypeAlias

from attrs import evolve, frozen

from ..errors import InvalidValueError
from ..filters import Condition, Filter
from ..model.fields import Field
from ..model.natural_key import Key
from ..model.relation import Relation
from ..orm import natural_keys
from ..orm.context import Context
from ..orm.entity import Entity
from ..values.checking import did_you_mean

_WORDS = {"one_of": "is", "startswith": "starts with"}
_ALTERNATIVES = ("one_of", "any_of")
_SINGLE = (str, bytes, Entity, Mapping, PathLike)


@frozen
class FieldTest:
    """A comparison of a field; a None among the values stands for an empty field, which no bound and no text fits."""

    spec: Field
    form: Literal["is", "one_of", "after", "before", "between", "contains", "startswith"]
    values: tuple[Any, ...]

    def __str__(self) -> str:
        join = " or " if self.form == "one_of" else " and "
        return f"{self.spec.name} {_WORDS.get(self.form, self.form)} {join.join(map(_shown, self.values))}"


@frozen
class RelationTest:
    """Being associated with any of some materials, by ids and natural keys; with none at all, where both are empty."""

    relation: Relation[Any]
    ids: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if it is met by those without any."""
        return not self.ids and not self.keys

    def __str__(self) -> str:
        if self.is_empty:
            return f"{self.relation.name} is empty"
        return f"{self.relation.name} has {' or '.join(map(repr, (*self.keys, *self.ids)))}"


@frozen
class AnyOf:
    """Alternatives; none of them: nothing meets it."""

    tests: tuple[Test, ...]

    def __str__(self) -> str:
        return f"({' or '.join(map(str, self.tests))})"


@frozen
class Not:
    """The opposite of another test."""

    test: Test

    def __str__(self) -> str:
        return f"not ({self.test})"


Test: TypeAlias = "FieldTest | RelationTest | AnyOf | Not"


def _shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def replaced(test: Test, replace: Callable[[RelationTest], Test]) -> Test:
    """Return a test with its tests of relations replaced."""
    if isinstance(test, RelationTest):
        return replace(test)
    if isinstance(test, Not):
        return Not(replaced(test.test, replace))
    if isinstance(test, AnyOf):
        return evolve(test, tests=tuple(replaced(each, replace) for each in test.tests))
    return test


def leaves(test: Test) -> list[FieldTest | RelationTest]:
    """Return the comparisons that a test consists of."""
    if isinstance(test, Not):
        return leaves(test.test)
    if isinstance(test, AnyOf):
        return [leaf for each in test.tests for leaf in leaves(each)]
    return [test]


# Reading arguments --------------------------------------------------------------------------------------------------


def tests_of(context: Context, cls: type[Entity], conditions: Mapping[str, Any]) -> tuple[Test, ...]:
    """Return the tests for conditions by name.

    Raises:
        InvalidValueError: there is no such field or relation, or a value is of another type; it lists what there is.
    """
    return tuple(_test(context, cls, name, value) for name, value in conditions.items())


def _test(context: Context, cls: type[Entity], name: str, value: Any) -> Test:
    schema = cls._schema
    if name in schema.fields:
        return _nested(value, lambda each: _field_test(cls, schema.fields[name], each))
    if name in schema.relations:
        return _nested(value, lambda each: _relation_test(context, schema.relations[name], each))
    raise no_such_name(cls, name)


def no_such_name(cls: type[Entity], name: str) -> InvalidValueError:
    """Return the error for a name that is neither a field nor a relation."""
    schema = cls._schema
    relations = f" Its relations are {', '.join(schema.relations)}." if schema.relations else ""
    hint = did_you_mean(name, [*schema.fields, *schema.relations])
    message = (
        f"{cls.__name__} has no field or relation {name!r} to ask for{hint}. "
        f"Its fields are {', '.join(schema.fields)}.{relations} For anything else there is where(function)."
    )
    return InvalidValueError(message)


def _nested(value: Any, read: Callable[[Any], Test]) -> Test:
    """Read a value or condition; those that others consist of are taken apart."""
    if isinstance(value, Condition) and value.form in _ALTERNATIVES:
        return _alternatives([_nested(each, read) for each in value.values])
    if isinstance(value, Condition) and value.form == "is_not":
        return Not(_nested(value.values[0], read))
    return read(value)


def _alternatives(tests: Sequence[Test]) -> Test:
    """Return tests of one field or relation as alternatives, those that compare with one value as one test."""
    equal = [each for each in tests if isinstance(each, FieldTest) and each.form in ("is", "one_of")]
    related = [each for each in tests if isinstance(each, RelationTest) and not each.is_empty]
    joined = [each for each in tests if each not in equal and each not in related]
    if equal:
        values = tuple(value for each in equal for value in each.values)
        joined.append(FieldTest(equal[0].spec, "one_of" if len(values) > 1 else "is", values))
    if related:
        ids = dict.fromkeys(id for each in related for id in each.ids)
        keys = dict.fromkeys(key for each in related for key in each.keys)
        joined.append(RelationTest(related[0].relation, tuple(ids), tuple(keys)))
    return joined[0] if len(joined) == 1 else AnyOf(tuple(joined))


def _refuse_list(name: str, value: Any) -> None:
    """Raise when a value is a list, or a filter of a search.

    Raises:
        InvalidValueError: so it is; it names the condition to pass.
    """
    if isinstance(value, Filter):
        message = (
            f"{name} takes a value or a condition such as one_of(...), after(...) or contains(...) of "
            "pieces_orm.filters; filters such as tags(...) and created(...) are those of search()."
        )
        raise InvalidValueError(message)
    if isinstance(value, list | set | frozenset | tuple | range):
        shown = ", ".join(map(repr, list(value)[:3])) or "..."
        message = (
            f"{name} takes one value, not a list: pass filters.one_of({shown}) for any of them, or one condition "
            "after another, with where(), for all of them."
        )
        raise InvalidValueError(message)


def _field_test(cls: type[Entity], spec: Field, value: Any) -> Test:
    name = f"{cls.__name__}.{spec.name}"
    if not isinstance(value, Condition):
        values = spec.spellings(_checked(name, spec, value))
        return FieldTest(spec, "is" if len(values) == 1 else "one_of", tuple(values))
    fits = {
        "contains": str in spec.types, "startswith": str in spec.types,
        **dict.fromkeys(("after", "before", "between"), bool({datetime, int, float} & set(spec.types))),
    }  # fmt: skip
    if not fits[value.form]:
        possible = [*(form for form, is_possible in fits.items() if is_possible), "one_of", "is_not", "any_of"]
        message = f"{name} cannot be asked for with {value!r}: of filters it takes {', '.join(possible)}."
        raise InvalidValueError(message)
    for bound in value.values:
        if value.form in ("after", "before", "between") and isinstance(bound, datetime) != (datetime in spec.types):
            wanted = "datetimes" if datetime in spec.types else "numbers"
            message = f"{name} is compared with {wanted}, not with {value!r}."
            raise InvalidValueError(message)
    return FieldTest(spec, value.form, value.values)  # type: ignore[arg-type]  # those of `fits`


def _checked(name: str, spec: Field, value: Any) -> Any:
    """Return a value that a field may have.

    Raises:
        InvalidValueError: it cannot have it.
    """
    if value is None:
        if not spec.optional:
            message = f"{name} always has a value, so that it cannot be asked for with None."
            raise InvalidValueError(message)
        return None
    if not spec.types:
        return value
    if not isinstance(value, spec.types):
        _refuse_list(name, value)
        if datetime in spec.types:
            message = (
                f"{spec.name} takes datetime, not {value!r} ({type(value).__name__}): for a stretch of time pass "
                "filters.after(moment), before(moment) or between(first, last)."
            )
            raise InvalidValueError(message)
    return spec.check(value)


def _relation_test(context: Context, relation: Relation[Any], value: Any) -> RelationTest:
    name = f"{relation.owner.__name__}.{relation.name}"
    target: type[Entity] = relation.target
    if value is None:
        return RelationTest(relation)
    natural = target._natural_key
    if isinstance(value, target | str) or (natural and natural.takes(value)):
        found: Any = natural_keys.named(context, target, value, name)
        return RelationTest(relation, **({"keys": (found.text,)} if isinstance(found, Key) else {"ids": (found.id,)}))
    if not isinstance(value, _SINGLE):
        _refuse_list(name, value)
    named = f", its {natural.label}" if natural else ""
    given = repr(value) if isinstance(value, Condition | Entity) else f"{value!r} ({type(value).__name__})"
    message = (
        f"{name} takes a {target.__name__}, an id{named}, None for no association at all, or one_of, is_not or any_of "
        f"of these, not {given}."
    )
    raise InvalidValueError(message)
