"""Everything that declares a kind, in one import: fields, relations, seeds and the entity itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.fields import field, readonly
from ..model.natural_key import NaturalKey
from ..model.seed import Seed, reference, references
from ..orm.context import Context
from ..orm.entity import Entity, entity, rename
from ..orm.natural_keys import known_keys
from ..orm.relations import Many, One

__all__ = [
    "Context", "Entity", "Many", "NaturalKey", "One", "Seed", "collections_of", "entity", "field", "ids_of",
    "known_keys", "readonly", "reference", "references", "rename",
]  # fmt: skip


# The arguments of a seed that name materials are entities or natural keys when it is composed, never texts.
def ids_of(*entities: Any) -> dict[str, str]:
    """Name entities in a seed: their ids by the names of their kinds; None adds nothing."""
    return {each._schema.kind.name: each.id for each in entities if each is not None}


def collections_of(*groups: Sequence[Any]) -> dict[str, Any]:
    """Name groups of entities in a seed: references by the names of their collections; an empty group adds nothing."""
    return {each[0]._schema.kind.collection: references(each) for each in groups if each}
