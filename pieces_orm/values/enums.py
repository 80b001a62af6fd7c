"""Open enums: the closed lists of the wire, which a newer server may extend."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

__all__ = [
    "Access", "AccessScope", "AnchorType", "AnnotationType", "Capabilities", "ConversationType", "ExternalSource",
    "FormatRole", "GenericClassification", "HierarchicalType", "HintType", "Mechanism", "MessageRole", "ModelType",
    "OpenEnum", "Platform", "Privacy", "Rendering", "SearchMatch", "SensitiveCategory", "SensitiveSeverity",
    "Sentiment", "SummaryPhase", "TagCategory",
]  # fmt: skip

E = TypeVar("E", bound="OpenEnum")


class OpenEnum(str, Enum):
    """An enum that accepts unknown members: they keep their text, compare by it, and are sent back as they came."""

    @classmethod
    def _missing_(cls: type[E], value: object) -> E | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def known(self) -> bool:
        """True if this version of pieces_orm knows the member."""
        return self._value_ in type(self)._value2member_map_

    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]
    __hash__ = str.__hash__


class AnchorType(OpenEnum):
    """The type of path that an anchor stands for."""

    UNKNOWN = "UNKNOWN"
    FILE = "FILE"
    DIRECTORY = "DIRECTORY"


class Mechanism(OpenEnum):
    """The way in which a material or an association came about."""

    UNKNOWN = "UNKNOWN"
    MANUAL = "MANUAL"
    RECOMMENDED = "RECOMMENDED"
    AUTOMATIC = "AUTOMATIC"
    INTERNAL = "INTERNAL"
    DELETED = "DELETED"
    EXTERNAL_AGENT = "EXTERNAL_AGENT"


class Platform(OpenEnum):
    """An operating system."""

    UNKNOWN = "UNKNOWN"
    WEB = "WEB"
    MACOS = "MACOS"
    LINUX = "LINUX"
    WINDOWS = "WINDOWS"
    FUCHSIA = "FUCHSIA"
    IOS = "IOS"
    ANDROID = "ANDROID"


class Privacy(OpenEnum):
    """The amount of data that an application may report."""

    UNKNOWN = "UNKNOWN"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    ANONYMOUS = "ANONYMOUS"


class Capabilities(OpenEnum):
    """The place where data is processed."""

    UNKNOWN = "UNKNOWN"
    LOCAL = "LOCAL"
    CLOUD = "CLOUD"
    BLENDED = "BLENDED"


class TagCategory(OpenEnum):
    """The type of word that a tag is."""

    UNKNOWN = "UNKNOWN"
    HANDLE = "HANDLE"
    EMAIL = "EMAIL"


class AnnotationType(OpenEnum):
    """The purpose of an annotation."""

    UNKNOWN = "UNKNOWN"
    DESCRIPTION = "DESCRIPTION"
    COMMENT = "COMMENT"
    DOCUMENTATION = "DOCUMENTATION"
    SUMMARY = "SUMMARY"
    EXPLANATION = "EXPLANATION"
    GIT_COMMIT = "GIT_COMMIT"
    KNOWLEDGE_GRAPH = "KNOWLEDGE_GRAPH"
    GENERIC_HIERARCHICAL_SUMMARY = "GENERIC_HIERARCHICAL_SUMMARY"
    QUERY_DRIVEN_HIERARCHICAL_SUMMARY = "QUERY_DRIVEN_HIERARCHICAL_SUMMARY"
    DEEP_STUDY_HIERARCHICAL_SUMMARY = "DEEP_STUDY_HIERARCHICAL_SUMMARY"
    CONVERSATIONALLY_GENERATED_HIERARCHICAL_SUMMARY = "CONVERSATIONALLY_GENERATED_HIERARCHICAL_SUMMARY"
    TEMPORAL_DAY_HIERARCHICAL_SUMMARY = "TEMPORAL_DAY_HIERARCHICAL_SUMMARY"
    TEMPORAL_WEEK_HIERARCHICAL_SUMMARY = "TEMPORAL_WEEK_HIERARCHICAL_SUMMARY"
    TEMPORAL_MONTH_HIERARCHICAL_SUMMARY = "TEMPORAL_MONTH_HIERARCHICAL_SUMMARY"
    TEMPORAL_QUARTER_HIERARCHICAL_SUMMARY = "TEMPORAL_QUARTER_HIERARCHICAL_SUMMARY"
    TEMPORAL_YEAR_HIERARCHICAL_SUMMARY = "TEMPORAL_YEAR_HIERARCHICAL_SUMMARY"
    SPECIFIC_HIERARCHICAL_SUMMARY = "SPECIFIC_HIERARCHICAL_SUMMARY"


class HierarchicalType(OpenEnum):
    """The way in which a summary was made from others."""

    UNKNOWN = "UNKNOWN"
    GENERIC_HIERARCHICAL_SUMMARY = "GENERIC_HIERARCHICAL_SUMMARY"
    QUERY_DRIVEN_HIERARCHICAL_SUMMARY = "QUERY_DRIVEN_HIERARCHICAL_SUMMARY"
    DEEP_STUDY_HIERARCHICAL_SUMMARY = "DEEP_STUDY_HIERARCHICAL_SUMMARY"
    CONVERSATIONALLY_GENERATED_HIERARCHICAL_SUMMARY = "CONVERSATIONALLY_GENERATED_HIERARCHICAL_SUMMARY"
    TEMPORAL_DAY_HIERARCHICAL_SUMMARY = "TEMPORAL_DAY_HIERARCHICAL_SUMMARY"
    TEMPORAL_WEEK_HIERARCHICAL_SUMMARY = "TEMPORAL_WEEK_HIERARCHICAL_SUMMARY"
    TEMPORAL_MONTH_HIERARCHICAL_SUMMARY = "TEMPORAL_MONTH_HIERARCHICAL_SUMMARY"
    TEMPORAL_QUARTER_HIERARCHICAL_SUMMARY = "TEMPORAL_QUARTER_HIERARCHICAL_SUMMARY"
    TEMPORAL_YEAR_HIERARCHICAL_SUMMARY = "TEMPORAL_YEAR_HIERARCHICAL_SUMMARY"
    SPECIFIC_HIERARCHICAL_SUMMARY = "SPECIFIC_HIERARCHICAL_SUMMARY"


class SummaryPhase(OpenEnum):
    """A stage in the making of a summary."""

    UNKNOWN = "UNKNOWN"
    INITIALIZED = "INITIALIZED"
    IN_PROGRESS = "IN_PROGRESS"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    COMPLETED = "COMPLETED"
    DRAFTING = "DRAFTING"
    TIMED_OUT = "TIMED_OUT"
    INITIALIZING = "INITIALIZING"
    RETRYING = "RETRYING"


class ConversationType(OpenEnum):
    """The type of a conversation."""

    UNKNOWN = "UNKNOWN"
    COPILOT = "COPILOT"


class MessageRole(OpenEnum):
    """The author of a message."""

    UNKNOWN = "UNKNOWN"
    USER = "USER"
    SYSTEM = "SYSTEM"
    ASSISTANT = "ASSISTANT"
    SYSTEM_THINKING = "SYSTEM_THINKING"


class Sentiment(OpenEnum):
    """The reader's verdict on a message."""

    UNKNOWN = "UNKNOWN"
    LIKE = "LIKE"
    DISLIKE = "DISLIKE"
    REPORT = "REPORT"


class FormatRole(OpenEnum):
    """The use of a format to its asset."""

    UNKNOWN = "UNKNOWN"
    ORIGINAL = "ORIGINAL"
    ADDITIONAL = "ADDITIONAL"
    BOTH = "BOTH"
    PREVIEW = "PREVIEW"


class GenericClassification(OpenEnum):
    """The class of a format's content."""

    UNKNOWN = "UNKNOWN"
    CODE = "CODE"
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    EXTERNAL_RESOURCE_REFERENCE = "EXTERNAL_RESOURCE_REFERENCE"
    FILE = "FILE"


class Rendering(OpenEnum):
    """The markup in which a format's content is rendered."""

    UNKNOWN = "UNKNOWN"
    HTML = "HTML"
    TWENTY_FOUR_BIT_ANSI_ESCAPED_SEQUENCES = "TWENTY_FOUR_BIT_ANSI_ESCAPED_SEQUENCES"
    HIGHLIGHT_JS_HTML = "HIGHLIGHT_JS_HTML"


class SearchMatch(OpenEnum):
    """The part of an asset in which a search found its match."""

    UNKNOWN = "UNKNOWN"
    TITLE = "TITLE"
    ANNOTATION = "ANNOTATION"
    HINT = "HINT"
    CONTENT = "CONTENT"
    FUZZY = "FUZZY"
    MULTIPLE = "MULTIPLE"
    TAGS = "TAGS"
    WEBSITES = "WEBSITES"
    PERSONS = "PERSONS"


class ModelType(OpenEnum):
    """The property that a model is tuned for."""

    UNKNOWN = "UNKNOWN"
    BALANCED = "BALANCED"
    SPEED = "SPEED"
    ACCURACY = "ACCURACY"


class AccessScope(OpenEnum):
    """The rights of a person on a material."""

    UNKNOWN = "UNKNOWN"
    OWNER = "OWNER"
    EDITOR = "EDITOR"
    COMMENTER = "COMMENTER"
    VIEWER = "VIEWER"


class ExternalSource(OpenEnum):
    """The service on which a person was found."""

    UNKNOWN = "UNKNOWN"
    TWITTER = "TWITTER"
    MEDIUM = "MEDIUM"
    LINKED_IN = "LINKED_IN"
    INSTAGRAM = "INSTAGRAM"
    FACEBOOK = "FACEBOOK"
    REDDIT = "REDDIT"
    DISCORD = "DISCORD"
    BIT_BUCKET = "BIT_BUCKET"
    GIT_LAB = "GIT_LAB"
    GIT_HUB = "GIT_HUB"
    SLACK = "SLACK"
    MAILGUN = "MAILGUN"


class HintType(OpenEnum):
    """The use of a hint."""

    UNKNOWN = "UNKNOWN"
    SUGGESTED_QUERY = "SUGGESTED_QUERY"
    QGPT_HINT = "QGPT_HINT"


class Access(OpenEnum):
    """The audience of a share."""

    UNKNOWN = "UNKNOWN"
    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


class SensitiveCategory(OpenEnum):
    """The type of a secret."""

    UNKNOWN = "UNKNOWN"
    SECRET = "SECRET"  # noqa: S105 the wire's word
    API_KEY = "API_KEY"
    CLIENT_ID = "CLIENT_ID"
    CLIENT_SECRET = "CLIENT_SECRET"  # noqa: S105 the wire's word
    SECRET_KEY = "SECRET_KEY"  # noqa: S105 the wire's word
    API_TOKEN = "API_TOKEN"  # noqa: S105 the wire's word
    ACCESS_KEY = "ACCESS_KEY"
    ACCESS_TOKEN = "ACCESS_TOKEN"  # noqa: S105 the wire's word
    URL = "URL"
    PUBLIC_KEY = "PUBLIC_KEY"
    PRIVATE_KEY = "PRIVATE_KEY"
    API_ID = "API_ID"
    WEB_HOOK_URL = "WEB_HOOK_URL"


class SensitiveSeverity(OpenEnum):
    """The damage that disclosing a secret would do."""

    UNKNOWN = "UNKNOWN"
    LOW = "LOW"
    MODERATE = "MODERATE"
    HIGH = "HIGH"
