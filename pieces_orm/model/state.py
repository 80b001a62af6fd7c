"""What a session knows of one material: its document, edits and ids, and how much that is."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from ..documents.document import Document

if TYPE_CHECKING:
    from ..orm.entity import Owner


class State(Enum):
    """How much an entity knows, and whether it is still of use."""

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


class Knowledge(msgspec.Struct, eq=False):
    """What a session knows of one material: made in C, because there is one for each of many thousands."""

    owner: Owner
    state: State
    document: Document | None = None
    # The number of the request whose answer was applied last.
    applied: int = 0
    edits: dict[str, Edit] | None = None
    ids: dict[str, tuple[str, ...]] | None = None
