"""The kinds of material, one per file."""

from .anchor import Anchor
from .anchor_point import AnchorPoint
from .annotation import Annotation
from .asset import Asset
from .conversation import Conversation
from .conversation_message import ConversationMessage
from .format import Format
from .person import Person
from .source import Source
from .tag import Tag
from .website import Website
from .workstream_event import WorkstreamEvent
from .workstream_summary import WorkstreamSummary

__all__ = [
    "Anchor",
    "AnchorPoint",
    "Annotation",
    "Asset",
    "Conversation",
    "ConversationMessage",
    "Format",
    "Person",
    "Source",
    "Tag",
    "Website",
    "WorkstreamEvent",
    "WorkstreamSummary",
]
