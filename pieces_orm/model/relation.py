"""What declares a relation: its name, its wire path, its target, and the name seen from there."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from ..documents import answers
from ..documents.document import Document

E = TypeVar("E")


class Relation(Generic[E]):
    """What `Many` and `One` have in common: a name, a wire path, a target class and the name seen from there."""

    def __init__(self, *, wire: str, back: str | None = None, explicit: bool = False) -> None:
        self.wire = wire
        self.back = back
        self.explicit = explicit
        self.name = ""
        self.owner: Any = None

    def __set_name__(self, owner: Any, name: str) -> None:
        self.name = name
        self.owner = owner

    @property
    def target(self) -> type[E]:
        """The class that this relation leads to."""
        # typing stores Many["Asset"] on the instance, so the target is written down once.
        argument = self.__orig_class__.__args__[0]  # type: ignore[attr-defined]
        found: type[E] = self.owner.registry[getattr(argument, "__forward_arg__", None) or argument.__name__]
        return found

    def ids_in(self, document: Document) -> tuple[str, ...] | None:
        """The ids that a document names for this relation; None when it leaves them out.

        Raises:
            DecodeError: the slice is no relation.
        """
        raw = document.get(self.wire)
        return None if raw is None else answers.member_ids(raw, self.owner.kind.name, "", self.name)

    def with_id(self, others: tuple[str, ...], id: str) -> tuple[str, ...]:
        """The ids of this relation once another is associated."""
        return (*others, id)

    def __repr__(self) -> str:
        return f"<relation {getattr(self.owner, '__name__', '?')}.{self.name}>"
