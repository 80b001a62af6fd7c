"""The kinds of material, one per file."""

from .activity import Activity
from .anchor import Anchor
from .anchor_point import AnchorPoint
from .annotation import Annotation
from .asset import Asset
from .conversation import Conversation
from .conversation_message import ConversationMessage
from .format import Format
from .hint import Hint
from .person import Person
from .range import Range
from .sensitive import Sensitive
from .share import Share
from .source import Source
from .source_window import SourceWindow
from .tag import Tag
from .website import Website
from .workstream_event import WorkstreamEvent
from .workstream_summary import WorkstreamSummary

__all__ = [
    "Activity", "Anchor", "AnchorPoint", "Annotation", "Asset", "Conversation", "ConversationMessage", "Format",
    "Hint", "Person", "Range", "Sensitive", "Share", "Source", "SourceWindow", "Tag", "Website", "WorkstreamEvent",
    "WorkstreamSummary",
]  # fmt: skip
