"""The declaration of a relation: its name, its wire path, its target, and its name seen from there."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from ..documents import answers
from ..documents.document import Document
from ..wire.associations import association

E = TypeVar("E")


class Relation(Generic[E]):
    """A declared link from one kind to another; it lives as ids.

    Args:
        wire: the (dotted) key in the document.
        back: the name of the same relation seen from the other side; None when the other side has none.
        explicit: whether `associate` never picks it by itself, because other relations join the same two kinds.
    """

    is_many: ClassVar[bool] = False

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
    def key(self) -> str:
        """The top-level key of a document that this relation is read from."""
        return self.wire.split(".", maxsplit=1)[0]

    @property
    def target(self) -> type[E]:
        """The class that this relation leads to."""
        # typing stores Many["Asset"] on the instance, so the target is written down once.
        argument = self.__orig_class__.__args__[0]  # type: ignore[attr-defined]
        found: type[E] = self.owner._registry[getattr(argument, "__forward_arg__", None) or argument.__name__]
        return found

    @property
    def inverse(self) -> Relation[Any] | None:
        """The same relation seen from the other side."""
        target: Any = self.target
        return None if self.back is None else target._schema.relations.get(self.back)

    @cached_property
    def is_told(self) -> bool:
        """False if another relation of the class names the same associations: signals tell each once."""
        if self.back is not None or association(self.owner._schema.kind, self.name) is not None:
            return True
        others = self.owner._schema.relations.values()
        return not any(each.back and each.target is self.target for each in others)

    def ids_in(self, document: Document) -> tuple[str, ...] | None:
        """Return the ids that a document names for this relation; None when it leaves them out.

        Raises:
            DecodeError: the slice is not a relation.
        """
        raw = document.get(self.wire)
        return None if raw is None else answers.member_ids(raw, self.owner._schema.kind.name, "", self.name)

    def with_id(self, others: tuple[str, ...], id: str) -> tuple[str, ...]:
        """Return the ids of this relation once another is associated."""
        return (*others, id)

    def __repr__(self) -> str:
        return f"<relation {getattr(self.owner, '__name__', '?')}.{self.name}>"
