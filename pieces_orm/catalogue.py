"""The collections of a session, one for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from .assets import AssetCollection
from .collection import Collection
from .connection import Connection
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
from .entity import Entity
from .signals import Dispatch
from .transport import Timeout

if TYPE_CHECKING:
    from .session import Session

C = TypeVar("C", bound=Collection[Any, ...])
E = TypeVar("E", bound=Entity)


class Catalogue(Connection):
    """A connection with a collection for each kind of material."""

    def __init__(
        self, url: str, *, application: str, api_key: str | None, timeout: Timeout, dispatch: Dispatch | None
    ) -> None:
        super().__init__(url, application=application, api_key=api_key, timeout=timeout, dispatch=dispatch)
        self._collections: dict[type[Entity], Collection[Any, ...]] = {}
        me = cast("Session", self)
        self.assets = self._shelve(AssetCollection(me, Asset, Asset.seed))
        self.activities = self._shelve(Collection(me, Activity, Activity.seed))
        self.anchors = self._shelve(Collection(me, Anchor, Anchor.seed))
        self.anchor_points = self._shelve(Collection(me, AnchorPoint, AnchorPoint.seed))
        self.annotations = self._shelve(Collection(me, Annotation, Annotation.seed))
        self.conversations = self._shelve(Collection(me, Conversation, Conversation.seed))
        self.formats: Collection[Format, ...] = self._shelve(Collection(me, Format))
        self.hints = self._shelve(Collection(me, Hint, Hint.seed))
        self.messages = self._shelve(Collection(me, ConversationMessage, ConversationMessage.seed))
        self.persons = self._shelve(Collection(me, Person, Person.seed))
        self.ranges = self._shelve(Collection(me, Range, Range.seed))
        self.sensitives = self._shelve(Collection(me, Sensitive, Sensitive.seed))
        self.shares = self._shelve(Collection(me, Share, Share.seed))
        self.sources = self._shelve(Collection(me, Source, Source.seed))
        self.source_windows = self._shelve(Collection(me, SourceWindow, SourceWindow.seed))
        self.summaries = self._shelve(Collection(me, WorkstreamSummary, WorkstreamSummary.seed))
        self.tags = self._shelve(Collection(me, Tag, Tag.seed))
        self.websites = self._shelve(Collection(me, Website, Website.seed))
        self.workstream_events = self._shelve(Collection(me, WorkstreamEvent, WorkstreamEvent.seed))

    def _shelve(self, collection: C) -> C:
        self._collections[collection.entity] = collection
        return collection

    @property
    def classes(self) -> tuple[type[Entity], ...]:
        """The classes of all kinds that have a collection."""
        return tuple(self._collections)

    def __getitem__(self, cls: type[E]) -> Collection[E, ...]:
        """The collection of a class, for generic code."""
        if not (isinstance(cls, type) and issubclass(cls, Entity) and hasattr(cls, "kind")):
            message = f"session[...] takes an entity class, such as Asset, not {cls!r}."
            raise TypeError(message)
        found: Collection[Any, ...] | None = self._collections.get(cls)
        return found or self._shelve(Collection(cast("Session", self), cls, getattr(cls, "seed", None)))
