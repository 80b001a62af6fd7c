"""Conditions on materials, which filters and engines of a search combine by AND and OR."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

from attrs import frozen

from ...wire.kinds import Kind
from ..json_values import object_in
from ..request_errors import RequestError
from ..storage.timestamps import normalize_timestamp
from .limits import SearchReader, check_conditions

Condition = Callable[[SearchReader, AbstractSet[str]], Mapping[str, float]]
"""Returns which of some ids meet it, and how well: 1 exactly, less in part."""

ConditionReader = Callable[[Any], Condition]
"""Makes a condition of a JSON value."""

_MAX_DEPTH = 50  # groups within groups; each level calls the next


def exactly(ids: AbstractSet[str]) -> dict[str, float]:
    """Return ids as such that meet a condition exactly."""
    return dict.fromkeys(ids, 1.0)


def combine(conditions: Sequence[Condition], *, alternatives: bool = False) -> Condition:
    """Combine conditions by AND, of which the worst counts, or as alternatives by OR, of which the best counts."""

    def condition(reader: SearchReader, ids: AbstractSet[str]) -> Mapping[str, float]:
        found = {} if alternatives else exactly(ids)
        for each in conditions:
            if alternatives:
                left = {id for id in ids if found.get(id, 0.0) < 1}
                found |= {id: max(like, found.get(id, 0.0)) for id, like in each(reader, left).items()}
            elif found:
                # Each looks only at what met those before it.
                found = {id: min(like, found[id]) for id, like in each(reader, found.keys()).items()}
        return found

    return condition


@frozen
class Grammar:
    """Conditions as JSON: objects with one or more of some keys, in groups `{iterable: [...], type}`.

    `name` is what one object is called, for errors; `readers` make conditions of its values, by key. A key that is
    ignored may be there as well.
    """

    name: str
    readers: Mapping[str, ConditionReader]
    ignored: frozenset[str] = frozenset({"schema"})

    def group(self, value: Any, depth: int = 0) -> Condition:
        """Read a group, in which each object may have another one as its `operations`.

        Raises:
            RequestError: 400, the group is empty, malformed, too deep or has too many conditions.
        """
        if depth == 0:
            check_conditions(value, self.name)
        items = value.get("iterable") if isinstance(value, Mapping) else None
        if not isinstance(items, list) or not items or depth > _MAX_DEPTH:
            form = f"{{iterable: [{self.name}, ...]}}"
            raise RequestError(
                400, f"{form} has to have at least one {self.name} and be nested at most {_MAX_DEPTH} deep."
            )
        conditions = [self.one(item, operations=partial(self.group, depth=depth + 1)) for item in items]
        return combine(conditions, alternatives=value.get("type") == "OR")

    def one(self, item: Any, **more: ConditionReader) -> Condition:
        """Read one object, all of whose values have to be met; `more` are further readers.

        Raises:
            RequestError: 400, it says nothing, or something unknown, which would let everything pass.
        """
        readers = {**more, **self.readers}
        given = dict(item) if isinstance(item, Mapping) else {}
        given = {key: given[key] for key in given.keys() - self.ignored if given[key] not in (None, "", {})}
        if not given or not given.keys() <= readers.keys():
            sentence = f"Each {self.name} has to be a JSON object with one or more of {', '.join(readers)}."
            raise RequestError(400, sentence)
        return combine([read(given[key]) for key, read in readers.items() if key in given])


def periods(kind: Kind) -> dict[str, ConditionReader]:
    """Make readers of bounds on `created` and `updated`; the bounds belong to the period."""
    return {column: partial(_within, kind, column) for column in ("created", "updated")}


def _within(kind: Kind, column: str, value: Any) -> Condition:
    given = {end: value.get(end) if isinstance(value, Mapping) else None for end in ("from", "to")}
    bounds = {end: normalize_timestamp(object_in(given, end).get("value")) for end in given}
    if not any(bounds.values()) or any(given[end] is not None and not bounds[end] for end in given):
        raise RequestError(400, f"A condition on {column} needs from or to, each with a timestamp as value.")
    return lambda reader, ids: exactly(ids & reader.ids_within(kind.name, column, bounds["from"], bounds["to"]))
