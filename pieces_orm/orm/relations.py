"""The relations of entities: the declarations `Many` and `One`, and `Related`, the value of a `Many`.

A relation lives as ids. Asking for ids, length or membership of a loaded entity is free; iterating loads all missing
targets together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any, ClassVar, Generic, TypeVar, overload

from ..documents.document import Document, reference_id
from ..errors import ReadOnlyFieldError
from ..model.natural_key import Key
from ..model.record import Record, readable_ids
from ..model.relation import Relation
from ..values import Progress
from . import associating, natural_keys, relation_loading, upserting

E = TypeVar("E", bound=Record)


class Many(Relation[E]):
    """Declares a to-many relation: `assets = Many["Asset"](wire="assets", back="anchors")`."""

    is_many: ClassVar[bool] = True

    @overload
    def __get__(self, instance: None, owner: type[Record]) -> Many[E]: ...
    @overload
    def __get__(self, instance: Record, owner: type[Record]) -> Related[E]: ...
    def __get__(self, instance: Record | None, owner: type[Record]) -> Many[E] | Related[E]:
        return self if instance is None else Related(instance, self)

    def __set__(self, instance: Record, value: Any) -> None:
        message = f"{self.name} is a relation: use {self.name}.add(...) and {self.name}.remove(...)."
        raise ReadOnlyFieldError(message)


class One(Relation[E]):
    """Declares a to-one relation, None where there is none: `asset = One["Asset"](wire="asset", back="shares")`."""

    def ids_in(self, document: Document) -> tuple[str, ...] | None:
        """Return the id that a document names, none when it names none; None when a nested copy leaves it out."""
        raw = document.get(self.wire)
        if raw is None:
            return () if document.complete else None
        return (reference_id(raw, self.owner._schema.kind.name, "", self.name),)

    def with_id(self, others: tuple[str, ...], id: str) -> tuple[str, ...]:  # noqa: ARG002 as its base
        """Return the one id; it takes the place of another."""
        return (id,)

    @overload
    def __get__(self, instance: None, owner: type[Record]) -> One[E]: ...
    @overload
    def __get__(self, instance: Record, owner: type[Record]) -> E | None: ...
    def __get__(self, instance: Record | None, owner: type[Record]) -> One[E] | E | None:
        if instance is None:
            return self
        ids = relation_loading.related_ids(instance._context, instance, self)
        return relation_loading.related_entities(instance._context, instance, self, ids)[0] if ids else None

    def __set__(self, instance: Record, value: Any) -> None:
        message = f"{self.name} is a relation that only the server sets."
        raise ReadOnlyFieldError(message)


class Related(Generic[E]):
    """The other side of a to-many relation of one entity, in the server's order.

    `ids`, `len`, `in` and `bool` make no request when the entity is loaded; iterating loads what is missing together.
    """

    __slots__ = ("_entity", "_relation")

    def __init__(self, entity: Record, relation: Many[E]) -> None:
        self._entity = entity
        self._relation = relation

    @property
    def known(self) -> bool:
        """True if the ids are known without a request; a relation that a document leaves out is unknown, not empty."""
        with self._entity._context.lock:
            return readable_ids(self._entity, self._relation) is not None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the related materials.

        Requests: none when known; else one GET of the entity, or one of the relation's association family.

        Raises:
            UnsupportedOperationError: the server does not send this relation; ask from the other side.
        """
        return relation_loading.related_ids(self._entity._context, self._entity, self._relation)

    def __len__(self) -> int:
        return len(self.ids)

    def __bool__(self) -> bool:
        return bool(self.ids)

    def __contains__(self, other: object) -> bool:
        """Tell whether an entity is related, or the one with this id, or with this natural key.

        A text in the form of a UUID is an id; another text is the text of a tag, the url of a website, the path of an
        anchor (a path object too), or the name or e-mail address of a person.

        Requests: those of `ids`; for a natural key none when the keys of the related ones are known, else those of
        loading the others together.

        Raises:
            InvalidValueError: an empty text, or one that cannot be sent.
        """
        context, target = self._entity._context, self._relation.target
        if isinstance(other, Record):
            return isinstance(other, target) and other._context is context and other.id in self.ids
        natural = target._natural_key
        if not (natural.takes(other) if natural else isinstance(other, str)):
            return False
        named: Any = natural_keys.named(context, target, other, f"in {self._relation.name}") if natural else None
        if isinstance(named, Key):
            return bool(natural_keys.members(context, target, self.refs(), named.text))
        return other in self.ids

    def __eq__(self, other: object) -> bool:
        """Compare by the related entities and their order: with another relation, or with a list of entities."""
        if isinstance(other, Related):
            same_target = self._relation.target is other._relation.target
            return same_target and self._entity._context is other._entity._context and self.ids == other.ids
        if isinstance(other, list | tuple):
            ids, target, context = self.ids, self._relation.target, self._entity._context
            return len(other) == len(ids) and all(
                isinstance(each, target) and isinstance(each, Record) and each._context is context and each.id == id
                for each, id in zip(other, ids, strict=True)
            )
        return NotImplemented

    # It changes with the entity, so it cannot be a key.
    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[E]:
        return iter(relation_loading.load_related(self._entity._context, self._entity, self._relation, self.refs()))

    def __getitem__(self, place: int) -> E:
        return list(self)[place]

    def refs(self) -> list[E]:
        """Return the related entities as they are held, without loading them.

        Requests: none when the ids are known.
        """
        return relation_loading.related_entities(self._entity._context, self._entity, self._relation, self.ids)

    def add(self, *others: E | str | PathLike[str], progress: Progress | None = None) -> None:
        """Associate others with this entity; both sides know at once. What a natural key names is created if need be.

        Requests: one POST for each, a few at a time; after several, one GET for their order where the ids are known;
        those of `get_or_create_many` for natural keys.

        Args:
            others: entities of this session, ids, or natural keys.
            progress: called with how many are done and how many there are, after each.

        Raises:
            UnknownRelationError: not a target of this relation, or no route changes it. Nothing was sent.
            SeveralFoundError: several persons have this name. Nothing was associated.
            BatchError: some of several failed; those that did not are applied.
        """
        named = self._named(others, "add")
        self._change(upserting.entities(self._entity._context, named), present=True, progress=progress)

    def remove(self, *others: E | str | PathLike[str], progress: Progress | None = None) -> None:
        """Disassociate others from this entity; both sides know at once, and nothing is created or deleted.

        Requests: one POST for each, a few at a time; those of `in` for natural keys.

        Args:
            others: entities of this session, ids, or natural keys of related ones.
            progress: called with how many are done and how many there are, after each.

        Raises:
            UnknownRelationError: not a target of this relation, or no route changes it. Nothing was sent.
            NotFoundError: none of the related ones has this natural key. SeveralFoundError: several have it. Nothing
                was changed.
            BatchError: some of several failed; those that did not are applied.
        """
        named = self._named(others, "remove")
        existing = natural_keys.existing(self._entity._context, named, among=self.refs)
        self._change(existing, present=False, progress=progress)

    def _named(self, others: Sequence[Any], call: str) -> list[Any]:
        """Return entities and natural keys, checked; other values stay, for the error that relations have for them."""
        context, target = self._entity._context, self._relation.target
        named = [
            natural_keys.named(context, target, each, f"{self._relation.name}.{call}()")
            if isinstance(each, str | PathLike)
            else each
            for each in others
        ]
        associating.check(context, self._entity, [(self._relation, each) for each in named])
        return named

    def _change(self, others: Sequence[E], *, present: bool, progress: Progress | None) -> None:
        pairs = [(self._relation, other) for other in others]
        associating.change(self._entity._context, self._entity, pairs, present=present, progress=progress)

    def __repr__(self) -> str:
        with self._entity._context.lock:
            ids = readable_ids(self._entity, self._relation)
        return f"<{self._relation.name} of {self._entity!r}: {'unknown' if ids is None else len(ids)}>"
