"""Pieces data as Python objects: one object per material, nothing lost, and a server to run it on."""

import importlib as _importlib
import typing as _typing

from . import filters
from .collection.assets import Draft, Hit
from .collection.searchable import Found
from .entities import (
    Activity,
    Anchor,
    AnchorPoint,
    Annotation,
    Asset,
    Conversation,
    ConversationMessage,
    Format,
    Hint,
    Person,
    Range,
    Sensitive,
    Share,
    Source,
    SourceWindow,
    Tag,
    Website,
    WorkstreamEvent,
    WorkstreamSummary,
)
from .errors import (
    AmbiguousRelationError,
    BatchError,
    ConflictError,
    DecodeError,
    DeletedError,
    DetachedError,
    InvalidIdError,
    InvalidRequestError,
    InvalidValueError,
    NotAuthorizedError,
    NotFoundError,
    NotLoadedError,
    NotRunningError,
    PiecesError,
    ReadOnlyFieldError,
    RequestTimeout,
    ResponseError,
    ServerError,
    StateError,
    TransportError,
    UnknownRelationError,
    UnsupportedOperationError,
    UpgradeRequiredError,
    UsageError,
)
from .model.state import State
from .orm.entity import Entity
from .session import Session, connect, embedded

if _typing.TYPE_CHECKING:
    from .collection.suggestions import Suggestion
    from .sync.changes import Change
    from .sync.live import Live
    from .sync.watch import Watch

__all__ = [
    "Activity",
    "AmbiguousRelationError",
    "Anchor",
    "AnchorPoint",
    "Annotation",
    "Asset",
    "BatchError",
    "Change",
    "ConflictError",
    "Conversation",
    "ConversationMessage",
    "DecodeError",
    "DeletedError",
    "DetachedError",
    "Draft",
    "Entity",
    "Format",
    "Found",
    "Hint",
    "Hit",
    "InvalidIdError",
    "InvalidRequestError",
    "InvalidValueError",
    "Live",
    "NotAuthorizedError",
    "NotFoundError",
    "NotLoadedError",
    "NotRunningError",
    "Person",
    "PiecesError",
    "Range",
    "ReadOnlyFieldError",
    "RequestTimeout",
    "ResponseError",
    "Sensitive",
    "ServerError",
    "Session",
    "Share",
    "Source",
    "SourceWindow",
    "State",
    "StateError",
    "Suggestion",
    "Tag",
    "TransportError",
    "UnknownRelationError",
    "UnsupportedOperationError",
    "UpgradeRequiredError",
    "UsageError",
    "Watch",
    "Website",
    "WorkstreamEvent",
    "WorkstreamSummary",
    "connect",
    "embedded",
    "filters",
]

# Public names whose modules are imported on first use: nobody who does not watch pays for it.
_LATER = {
    "Change": "sync.changes",
    "Live": "sync.live",
    "Suggestion": "collection.suggestions",
    "Watch": "sync.watch",
}


def __getattr__(name: str) -> _typing.Any:
    if name in _LATER:
        return getattr(_importlib.import_module(f".{_LATER[name]}", __name__), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
