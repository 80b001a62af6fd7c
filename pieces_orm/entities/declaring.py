"""Everything that declares a kind, in one import: fields, relations, seeds and the entity itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.fields import field, readonly
from ..model.seed import Seed, reference, references
from ..orm.context import Context
from ..orm.entity import Entity, entity, rename
from ..orm.relations import Many, One

__all__ = [
    "Context", "Entity", "Many", "One", "Seed", "collections_of", "entity", "field", "ids_of", "readonly",
    "reference", "references", "rename",
]  # fmt: skip


def ids_of(*entities: Entity | None) -> dict[str, str]:
    """Name entities in a seed: their ids by the names of their kinds; None adds nothing."""
    return {each._schema.kind.name: each.id for each in entities if each is not None}


def collections_of(*groups: Sequence[Entity]) -> dict[str, Any]:
    """Name groups of entities in a seed: references by the names of their collections; an empty group adds nothing."""
    return {each[0]._schema.kind.collection: references(each) for each in groups if each}
