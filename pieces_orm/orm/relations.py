"""Relations: the declarations `Many` and `One`, and `Related`, what an entity shows for a `Many`.

A relation lives as ids. Asking for ids, length or membership of a loaded entity is free; iterating loads all missing
targets together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ..concurrency.parallel import Progress
from ..documents.document import Document, reference_id
from ..errors import ReadOnlyFieldError
from ..model.relation import Relation
from . import associating

if TYPE_CHECKING:
    from .entity import Entity

E = TypeVar("E", bound="Entity")


class Many(Relation[E]):
    """Declares a to-many relation: `assets = Many["Asset"](wire="assets", back="anchors")`.

    Args:
        wire: the (dotted) key in the document.
        back: the name of the same relation seen from the other side; None when the other side has none.
    """

    @overload
    def __get__(self, instance: None, owner: type[Entity]) -> Many[E]: ...
    @overload
    def __get__(self, instance: Entity, owner: type[Entity]) -> Related[E]: ...
    def __get__(self, instance: Entity | None, owner: type[Entity]) -> Many[E] | Related[E]:
        return self if instance is None else Related(instance, self)

    def __set__(self, instance: Entity, value: Any) -> None:
        message = f"{self.name} is a relation: use {self.name}.add(...) and {self.name}.remove(...)."
        raise ReadOnlyFieldError(message)


class One(Relation[E]):
    """Declares a to-one relation: `conversation = One["Conversation"](wire="conversation")`; None when there is none.

    Args:
        wire: the (dotted) key in the document.
        back: the name of the same relation seen from the other side; None when the other side has none.
    """

    def ids_in(self, document: Document) -> tuple[str, ...] | None:
        """The id that a document names, none when it names none; None when a nested copy leaves it out."""
        raw = document.get(self.wire)
        if raw is None:
            return () if document.complete else None
        return (reference_id(raw, self.owner.kind.name, "", self.name),)

    def with_id(self, others: tuple[str, ...], id: str) -> tuple[str, ...]:  # noqa: ARG002 as its base
        """The one id; it takes the place of another."""
        return (id,)

    @overload
    def __get__(self, instance: None, owner: type[Entity]) -> One[E]: ...
    @overload
    def __get__(self, instance: Entity, owner: type[Entity]) -> E | None: ...
    def __get__(self, instance: Entity | None, owner: type[Entity]) -> One[E] | E | None:
        if instance is None:
            return self
        ids = instance.relation_ids(self)
        return instance.related_entities(self, ids)[0] if ids else None

    def __set__(self, instance: Entity, value: Any) -> None:
        message = f"{self.name} is a relation that the server alone sets."
        raise ReadOnlyFieldError(message)


class Related(Generic[E]):
    """The other side of a to-many relation of one entity, in the server's order.

    `ids`, `len`, `in` and `bool` make no request when the entity is loaded; iterating loads what is missing together.
    """

    __slots__ = ("_entity", "_relation")

    def __init__(self, entity: Entity, relation: Many[E]) -> None:
        self._entity = entity
        self._relation = relation

    @property
    def known(self) -> bool:
        """Whether the ids are known without a request; a relation that a document leaves out is unknown, not empty."""
        return self._entity.known_ids(self._relation) is not None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the related materials.

        Requests: none when known; else one GET of this entity.

        Raises:
            UnsupportedOperationError: the server does not tell this relation; ask from the other side.
        """
        return self._entity.relation_ids(self._relation)

    def __len__(self) -> int:
        return len(self.ids)

    def __bool__(self) -> bool:
        return bool(self.ids)

    def __contains__(self, other: object) -> bool:
        if isinstance(other, str):
            return other in self.ids
        return isinstance(other, self._relation.target) and other.owner is self._entity.owner and other.id in self.ids

    def __iter__(self) -> Iterator[E]:
        entities = self._entity.related_entities(self._relation, self.ids)
        return iter(self._entity.owner.load_related(self._entity, self._relation, entities))

    def __getitem__(self, place: int) -> E:
        return list(self)[place]

    def refs(self) -> list[E]:
        """The related entities as they are held, without loading them.

        Requests: none when the ids are known.
        """
        return self._entity.related_entities(self._relation, self.ids)

    def add(self, *others: E, progress: Progress | None = None) -> None:
        """Associate others with this entity; both sides know at once.

        Requests: one POST for each, a few at a time.

        Args:
            others: entities of this session.
            progress: called with how many are done and how many there are, after each.

        Raises:
            UnknownRelationError: not a target of this relation, or no route changes it. Nothing was sent.
            BatchError: some of several failed; those that did not are applied.
        """
        pairs = [(self._relation, other) for other in others]
        associating.change(self._entity, pairs, present=True, progress=progress)

    def remove(self, *others: E, progress: Progress | None = None) -> None:
        """Disassociate others from this entity; both sides know at once, and nothing is deleted.

        Requests: one POST for each, a few at a time.

        Args:
            others: entities of this session.
            progress: called with how many are done and how many there are, after each.

        Raises:
            UnknownRelationError: not a target of this relation, or no route changes it. Nothing was sent.
            BatchError: some of several failed; those that did not are applied.
        """
        pairs = [(self._relation, other) for other in others]
        associating.change(self._entity, pairs, present=False, progress=progress)

    def __repr__(self) -> str:
        known = self._entity.known_ids(self._relation)
        size = "unknown" if known is None else str(len(known))
        return f"<{self._relation.name} of {self._entity!r}: {size}>"
