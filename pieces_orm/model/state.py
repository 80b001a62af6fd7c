"""In-memory state of one entity: its document, edits and related ids, and how far it is loaded."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from ..documents.document import Document


class State(Enum):
    """The degree to which an entity is loaded, and whether requests can be made for it."""

    HANDLE = "handle"
    PARTIAL = "partial"
    LOADED = "loaded"
    EXPIRED = "expired"
    DELETED = "deleted"
    DETACHED = "detached"


# Looking a member up in an enum's class costs more than reading a field may.
HANDLE, PARTIAL, LOADED, EXPIRED, DELETED, DETACHED = State


class Edit(msgspec.Struct, frozen=True):
    """A value set locally, the value that it replaced, and the document that had that."""

    mine: Any
    base: Any
    seen: Document | None = None


class EntityState(msgspec.Struct, eq=False):
    """State of one entity; a msgspec struct, because there is one for each of many thousands."""

    state: State
    document: Document | None = None
    # The number of the request whose answer was applied last.
    applied: int = 0
    edits: dict[str, Edit] | None = None
    ids: dict[str, tuple[str, ...]] | None = None
    # Ids of relations that a newer document leaves out: unknown by now, and compared with what is read next.
    former_ids: dict[str, tuple[str, ...]] | None = None
    # Likewise the values of fields that are read from such relations.
    former_values: dict[str, Any] | None = None

    def apply(self, document: Document) -> None:
        """Make a document the current one."""
        self.document = document
        self.state = LOADED if document.complete else PARTIAL

    def pending(self) -> dict[str, Edit]:
        """Return a copy of the edits."""
        return dict(self.edits or {})

    def is_edited(self, name: str) -> bool:
        """Tell whether a field has an edit."""
        return self.edits is not None and name in self.edits

    def cached_ids(self, relation: str) -> tuple[str, ...] | None:
        """Return the decoded ids of a relation, or None."""
        return None if self.ids is None else self.ids.get(relation)

    def cache_ids(self, relation: str, ids: tuple[str, ...]) -> None:
        """Keep the ids of a relation."""
        self.ids = {**(self.ids or {}), relation: ids}
        self.take_former_ids(relation)

    def age_ids(self, relation: str, ids: tuple[str, ...]) -> None:
        """Make the ids of a relation unknown, and keep them for comparison with those that are read next."""
        self.ids = {name: known for name, known in (self.ids or {}).items() if name != relation} or None
        self.former_ids = {**(self.former_ids or {}), relation: ids}

    def take_former_ids(self, relation: str) -> tuple[str, ...] | None:
        """Remove and return the former ids of a relation; None where there are none."""
        former = None if self.former_ids is None else self.former_ids.get(relation)
        if former is not None and self.former_ids is not None:
            self.former_ids = {name: ids for name, ids in self.former_ids.items() if name != relation} or None
        return former

    def age_value(self, field: str, value: Any) -> None:
        """Keep the value of a field for comparison with the one that is read next."""
        self.former_values = {**(self.former_values or {}), field: value}

    def take_former_value(self, field: str, default: Any) -> Any:
        """Remove and return the former value of a field."""
        if self.former_values is None or field not in self.former_values:
            return default
        values = dict(self.former_values)
        former = values.pop(field)
        self.former_values = values or None
        return former
