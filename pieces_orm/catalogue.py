"""The collections of a session, one for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from .collection.assets import AssetCollection
from .collection.base import Collection
from .collection.searchable import SearchableCollection
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
from .errors import InvalidValueError
from .orm.entity import Entity
from .transport.connection import Connection

if TYPE_CHECKING:
    from .session import Session

C = TypeVar("C", bound=Collection[Any, ...])
E = TypeVar("E", bound=Entity)


class Catalogue(Connection):
    """A connection with a collection for each kind of material."""

    def __init__(self, url: str, **connection: Any) -> None:
        super().__init__(url, **connection)
        me = cast("Session", self)
        self.assets = AssetCollection(me, Asset, Asset.seed)
        self.activities = Collection(me, Activity, Activity.seed)
        self.anchors = SearchableCollection(me, Anchor, Anchor.seed)
        self.anchor_points = Collection(me, AnchorPoint, AnchorPoint.seed)
        self.annotations = SearchableCollection(me, Annotation, Annotation.seed)
        self.conversations = SearchableCollection(me, Conversation, Conversation.seed)
        self.formats: Collection[Format, ...] = Collection(me, Format)
        self.hints = SearchableCollection(me, Hint, Hint.seed)
        self.messages = SearchableCollection(me, ConversationMessage, ConversationMessage.seed)
        self.persons = SearchableCollection(me, Person, Person.seed)
        self.ranges = Collection(me, Range, Range.seed)
        self.sensitives = SearchableCollection(me, Sensitive, Sensitive.seed)
        self.shares = Collection(me, Share, Share.seed)
        self.sources = SearchableCollection(me, Source, Source.seed)
        self.source_windows = SearchableCollection(me, SourceWindow, SourceWindow.seed)
        self.summaries = SearchableCollection(me, WorkstreamSummary, WorkstreamSummary.seed)
        self.tags = SearchableCollection(me, Tag, Tag.seed)
        self.websites = SearchableCollection(me, Website, Website.seed)
        self.workstream_events = Collection(me, WorkstreamEvent, WorkstreamEvent.seed)
        self._collections: dict[type[Entity], Collection[Any, ...]] = {
            each.entity: each for each in vars(self).values() if isinstance(each, Collection)
        }

    @property
    def classes(self) -> tuple[type[Entity], ...]:
        """The classes of all kinds that have a collection."""
        return tuple(self._collections)

    def __getitem__(self, cls: type[E]) -> Collection[E, ...]:
        """The collection of a class, for generic code."""
        if not (isinstance(cls, type) and issubclass(cls, Entity) and hasattr(cls, "kind")):
            message = f"session[...] takes an entity class, such as Asset, not {cls!r}."
            raise InvalidValueError(message)
        if cls not in self._collections:
            self._collections[cls] = Collection(cast("Session", self), cls, getattr(cls, "seed", None))
        return self._collections[cls]
