"""Seeds: the bodies that create materials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .natural_key import Key


@attrs.frozen
class Seed:
    """The body and query that create a material, and the entities to associate with it right after.

    `associate` holds entities that the body cannot name; each takes a request of its own. `keys` are the natural keys
    that stand for ids, in the body and in `associate`, until they are looked up; None: all that its arguments name.
    """

    body: Mapping[str, Any]
    query: Mapping[str, Any] = attrs.field(factory=dict)
    associate: Sequence[Any] = ()
    keys: Sequence[Key] | None = None


def reference(entity: Any) -> dict[str, Any] | None:
    """Return the object by which a seed names an entity; None for none."""
    return None if entity is None else {"id": entity.id}


def references(entities: Sequence[Any]) -> dict[str, Any] | None:
    """Return the flattened collection by which a seed names entities; None for none."""
    return {"iterable": [{"id": each.id} for each in entities]} if entities else None
