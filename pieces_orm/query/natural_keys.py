"""Natural keys in conditions: where documents have them, so that materials are named without making entities."""

from __future__ import annotations

from attrs import frozen

from ..model.fields import Field
from ..orm.entity import Entity


@frozen
class KeyPlace:
    """Where a natural key stands.

    Attributes:
        cls: the class whose documents have it.
        specs: the fields that it may stand in.
        owner: the relation from there to the material that has the key; empty: it is the material itself.
    """

    cls: type[Entity]
    specs: tuple[Field, ...]
    owner: str = ""


def place_of(cls: type[Entity]) -> KeyPlace:
    """Return where the natural key of a class stands."""
    natural = cls._natural_key
    assert natural is not None, "only kinds with a natural key are looked up by one"
    specs = tuple(Field(path, name=path, annotation=str | None) for path in natural.paths)
    if not natural.through:
        return KeyPlace(cls, specs)
    relation = cls._schema.relations[natural.through]
    return KeyPlace(relation.target, specs, relation.back or "")
