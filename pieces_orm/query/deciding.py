"""Decide conditions over documents as they came, without making entities."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from ..documents.document import Document
from ..errors import DecodeError
from ..model.fields import Field
from ..model.record import EMPTY, Record, Unreadable, try_decode
from ..model.relation import Relation
from ..orm import natural_keys
from .conditions import AnyOf, FieldTest, Not, RelationTest, Test

_log = logging.getLogger("pieces_orm.query")


class Material(Protocol):
    """One material, as conditions and orders look at it."""

    @property
    def id(self) -> str:
        """Its id."""

    def value(self, spec: Field) -> Any:
        """Return the value of a field."""

    def related(self, relation: Relation[Any]) -> tuple[str, ...]:
        """Return the ids of a relation."""

    def has_named(self, relation: Relation[Any], keys: tuple[str, ...]) -> bool:
        """Tell whether a relation has a material with one of these natural keys."""


class Candidate:
    """A material whose document came, and what had to be asked for besides."""

    __slots__ = ("_ids", "_values", "document", "id")

    def __init__(self, id: str, document: Document) -> None:
        self.id = id
        self.document = document
        self._values: dict[str, Any] = {}
        self._ids: dict[str, tuple[str, ...]] = {}

    def lacks(self, spec: Field) -> bool:
        """Tell whether the document leaves out a field, which is to be learned then."""
        return spec.name not in self._values and spec.is_left_out(self.document)

    def lacks_ids(self, relation: Relation[Any]) -> bool:
        """Tell whether the document leaves out a relation, which is to be learned then."""
        return relation.name not in self._ids and self._ids_in_document(relation) is None

    def learn(self, spec: Field, value: Any) -> None:
        """Keep the value of a field that was asked for apart from the document."""
        self._values[spec.name] = value

    def learn_ids(self, relation: Relation[Any], ids: tuple[str, ...]) -> None:
        """Keep the ids of a relation that were asked for apart from the document."""
        self._ids[relation.name] = ids

    def value(self, spec: Field) -> Any:
        """Return the value of a field; None also for one that cannot be read, with a warning in the log."""
        if spec.name not in self._values:
            value = try_decode(spec, spec.locate(self.document))
            if value is EMPTY:
                _log.warning("%s of %s cannot be read, and counts as empty in this query.", spec.name, self.id)
            self._values[spec.name] = None if value is EMPTY else value
        return self._values[spec.name]

    def related(self, relation: Relation[Any]) -> tuple[str, ...]:
        """Return the ids of a relation."""
        if relation.name not in self._ids:
            self._ids[relation.name] = self._ids_in_document(relation) or ()
        return self._ids[relation.name]

    def _ids_in_document(self, relation: Relation[Any]) -> tuple[str, ...] | None:
        try:
            ids = relation.ids_in(self.document)
        except DecodeError as error:
            _log.warning("%s It counts as empty in this query.", error)
            ids = ()
        if ids is not None:
            self._ids[relation.name] = ids
        return ids

    def has_named(self, relation: Relation[Any], keys: tuple[str, ...]) -> bool:
        """Tell whether a relation has a material with one of these keys; they are looked up before."""
        raise NotImplementedError


class Living:
    """An entity, with what is saved of it: edits do not count."""

    def __init__(self, entity: Record) -> None:
        self._entity = entity
        self.id = entity.id

    def value(self, spec: Field) -> Any:
        """Return the saved value of a field, loaded where it is not known."""
        edit = self._entity._state.pending().get(spec.name)
        if edit is not None and type(edit.base) is not Unreadable:
            return edit.base
        return getattr(self._entity, spec.name)

    def related(self, relation: Relation[Any]) -> tuple[str, ...]:
        """Return the ids of a relation, loaded where they are not known."""
        found = getattr(self._entity, relation.name)
        if relation.is_many:
            ids: tuple[str, ...] = found.ids
            return ids
        return () if found is None else (found.id,)

    def has_named(self, relation: Relation[Any], keys: tuple[str, ...]) -> bool:
        """Tell whether a relation has a material with one of these natural keys, loaded where it is not known."""
        found = getattr(self._entity, relation.name)
        others = list(found) if relation.is_many else [found] if found is not None else []
        context, target = self._entity._context, relation.target
        return any(natural_keys.members(context, target, others, key) for key in keys)


# Tests ----------------------------------------------------------------------------------------------------------------

# Types of fields whose values can all be members of a set.
_HASHED = (str, int, float, datetime)

Decider = Callable[[Material], bool]


def decider(test: Test) -> Decider:
    """Return the function that decides a test for a material."""
    if isinstance(test, AnyOf):
        deciders = [decider(each) for each in test.tests]
        return lambda material: any(decide(material) for decide in deciders)
    if isinstance(test, Not):
        decide = decider(test.test)
        return lambda material: not decide(material)
    if isinstance(test, RelationTest):
        return _relation_decider(test)
    spec, compare = test.spec, _comparison(test)
    return lambda material: compare(material.value(spec))


def _relation_decider(test: RelationTest) -> Decider:
    relation, ids, keys = test.relation, frozenset(test.ids), test.keys
    if test.is_empty:
        return lambda material: not material.related(relation)
    return lambda material: (
        not ids.isdisjoint(material.related(relation)) or (bool(keys) and material.has_named(relation, keys))
    )


def _comparison(test: FieldTest) -> Callable[[Any], bool]:
    value = test.values[0]
    if test.form == "is":
        return lambda found: bool(found == value)
    if test.form == "one_of":
        is_plain = bool(test.spec.types) and issubclass(test.spec.types[0], _HASHED)
        values = frozenset(test.values) if is_plain else test.values
        return lambda found: found in values
    compare: Mapping[str, Callable[[Any], bool]] = {
        "after": lambda found: found > value,
        "before": lambda found: found < value,
        "between": lambda found: value <= found <= test.values[1],
        "contains": lambda found: value in found,
        "startswith": lambda found: found.startswith(value),
    }
    holds = compare[test.form]
    return lambda found: found is not None and holds(found)
