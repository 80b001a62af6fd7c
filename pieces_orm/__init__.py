"""Pieces data as Python objects: one object per material, nothing lost, and a server to run it on."""

import importlib as _importlib
import typing as _typing

from . import entities as _entities
from . import errors as _errors
from . import filters
from .collection.assets import AssetCollection, Draft, Hit
from .collection.base import Collection
from .collection.keyed import KeyedCollection
from .collection.searchable import Found, SearchableCollection
from .entities import *  # noqa: F403 its __all__ is public here
from .errors import *  # noqa: F403 its __all__ is public here
from .model.state import State
from .opening import connect, embedded
from .orm.entity import Entity
from .orm.relations import Many, One, Related
from .session import Session

if _typing.TYPE_CHECKING:
    from .collection.suggestions import Suggestion
    from .query.explaining import Explanation
    from .query.query import Query
    from .sync.changes import Change, Changes
    from .sync.live import Live
    from .sync.watch import Watch

__all__ = [
    "AssetCollection", "Change", "Changes", "Collection", "Draft", "Entity", "Explanation", "Found", "Hit",
    "KeyedCollection", "Live", "Many", "One", "Query", "Related", "SearchableCollection", "Session", "State",
    "Suggestion", "Watch", "connect",
    "embedded", "filters",
]  # fmt: skip
__all__ += _entities.__all__
__all__ += _errors.__all__

# Public names whose modules are imported on first use: nobody who does not watch pays for it.
_LAZY_MODULES = {
    "Change": "sync.changes",
    "Changes": "sync.changes",
    "Explanation": "query.explaining",
    "Live": "sync.live",
    "Query": "query.query",
    "Suggestion": "collection.suggestions",
    "Watch": "sync.watch",
}


def __getattr__(name: str) -> _typing.Any:
    if name in _LAZY_MODULES:
        return getattr(_importlib.import_module(f".{_LAZY_MODULES[name]}", __name__), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
