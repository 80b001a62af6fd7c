"""The conditions of queries, by kind, for type checkers and for `help()`: each field and relation with its values.

`tests/query/test_signatures.py` holds them against the declarations of the entities, from which queries read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..filters import Condition

if TYPE_CHECKING:
    from ..values import (
        Access,
        Accessor,
        AnchorType,
        AnnotationType,
        Application,
        Bytes,
        Capabilities,
        Classification,
        ConversationType,
        FormatRole,
        HierarchicalType,
        HintType,
        Mechanism,
        Mechanisms,
        MessageAgent,
        MessageRole,
        Model,
        PersonAccess,
        PersonType,
        Platform,
        Score,
        SensitiveCategory,
        SensitiveMetadata,
        SensitiveSeverity,
        Sentiment,
        SourceDetails,
        SummaryPhase,
        TagCategory,
        Trigger,
    )
    from . import (
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

T = TypeVar("T")

Is: TypeAlias = "T | Condition[T]"
"""A value of a field, or a condition on it."""
To: TypeAlias = "T | str | Condition[T | str | None] | None"
"""An entity, its id or natural key, None for none, or a condition of these."""
ToAnchor: TypeAlias = "Anchor | str | PathLike[str] | Condition[Anchor | str | PathLike[str] | None] | None"
"""An anchor, its id or path, None for none, or a condition of these."""

_: Any = None


# fmt: off
def on_activities(
    *,
    application: Is[Application] = _, mechanism: Is[Mechanism | str] = _, rank: Is[int | None] = _, event: Any = _,
    created: Is[datetime] = _, updated: Is[datetime] = _, deleted: Is[datetime | None] = _, asset: To[Asset] = _,
    format: To[Format] = _,
) -> None:
    """Conditions on activities."""


def on_anchor_points(
    *,
    fullpath: Is[str] = _, verified: Is[bool | None] = _, platform: Is[Platform | str | None] = _,
    created: Is[datetime] = _, updated: Is[datetime] = _, deleted: Is[datetime | None] = _,
    score: Is[Score | None] = _, anchor: ToAnchor = _,
) -> None:
    """Conditions on anchor points."""


def on_anchors(
    *,
    name: Is[str | None] = _, watch: Is[bool | None] = _, type: Is[AnchorType | str] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, deleted: Is[datetime | None] = _, score: Is[Score | None] = _,
    anchor_points: To[AnchorPoint] = _, annotations: To[Annotation] = _, assets: To[Asset] = _,
    conversations: To[Conversation] = _, messages: To[ConversationMessage] = _, persons: To[Person] = _,
    sources: To[Source] = _, summaries: To[WorkstreamSummary] = _, tags: To[Tag] = _,
    workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on anchors."""


def on_annotations(
    *,
    text: Is[str] = _, type: Is[AnnotationType | str] = _, favorited: Is[bool | None] = _,
    mechanism: Is[Mechanism | str | None] = _, pseudo: Is[bool | None] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, deleted: Is[datetime | None] = _, score: Is[Score | None] = _, anchor: ToAnchor = _,
    asset: To[Asset] = _, conversation: To[Conversation] = _, person: To[Person] = _,
    summary: To[WorkstreamSummary] = _, anchors: ToAnchor = _, assets: To[Asset] = _,
    conversations: To[Conversation] = _, messages: To[ConversationMessage] = _, persons: To[Person] = _,
    summaries: To[WorkstreamSummary] = _, tags: To[Tag] = _, websites: To[Website] = _,
    workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on annotations."""


def on_assets(
    *,
    name: Is[str | None] = _, favorited: Is[bool | None] = _, creator: Is[str] = _, curated: Is[bool | None] = _,
    demo: Is[bool | None] = _, discovered: Is[bool | None] = _, mechanism: Is[Mechanism | str] = _,
    pseudo: Is[bool | None] = _, classification: Is[Classification | None] = _, text: Is[str | None] = _,
    language: Is[str | None] = _, description: Is[str | None] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, deleted: Is[datetime | None] = _, interacted: Is[datetime | None] = _,
    synced: Is[datetime | None] = _, score: Is[Score | None] = _, original: To[Format] = _, preview: To[Format] = _,
    overlay: To[Format] = _, activities: To[Activity] = _, anchors: ToAnchor = _, annotations: To[Annotation] = _,
    conversations: To[Conversation] = _, formats: To[Format] = _, hints: To[Hint] = _,
    messages: To[ConversationMessage] = _, persons: To[Person] = _, sensitives: To[Sensitive] = _,
    shares: To[Share] = _, summaries: To[WorkstreamSummary] = _, tags: To[Tag] = _, websites: To[Website] = _,
) -> None:
    """Conditions on assets."""


def on_conversations(
    *,
    name: Is[str | None] = _, favorited: Is[bool | None] = _, type: Is[ConversationType | str] = _,
    application: Is[Application | None] = _, demo: Is[bool | None] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, deleted: Is[datetime | None] = _, score: Is[Score | None] = _, anchors: ToAnchor = _,
    annotations: To[Annotation] = _, assets: To[Asset] = _, grounding_messages: To[ConversationMessage] = _,
    messages: To[ConversationMessage] = _, ranges: To[Range] = _, sources: To[Source] = _,
    summaries: To[WorkstreamSummary] = _, websites: To[Website] = _,
) -> None:
    """Conditions on conversations."""


def on_formats(
    *,
    role: Is[FormatRole | str] = _, classification: Is[Classification] = _, bytes: Is[Bytes] = _,
    text: Is[str | None] = _, creator: Is[str] = _, application: Is[Application] = _, cloud: Is[str | None] = _,
    icon: Is[str | None] = _, synced: Is[datetime | None] = _, created: Is[datetime] = _, updated: Is[datetime] = _,
    deleted: Is[datetime | None] = _, asset: To[Asset] = _, activities: To[Activity] = _,
) -> None:
    """Conditions on formats."""


def on_hints(
    *,
    text: Is[str] = _, type: Is[HintType | str] = _, mechanisms: Is[Mechanisms | None] = _,
    created: Is[datetime] = _, updated: Is[datetime] = _, deleted: Is[datetime | None] = _,
    score: Is[Score | None] = _, assets: To[Asset] = _,
) -> None:
    """Conditions on hints."""


def on_messages(
    *,
    text: Is[str | None] = _, role: Is[MessageRole | str] = _, sentiment: Is[Sentiment | str | None] = _,
    agent: Is[MessageAgent | None] = _, model: Is[Model | None] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, deleted: Is[datetime | None] = _, score: Is[Score | None] = _,
    conversation: To[Conversation] = _, summary_root: To[WorkstreamSummary] = _, anchors: ToAnchor = _,
    annotations: To[Annotation] = _, assets: To[Asset] = _, messages: To[ConversationMessage] = _,
    persons: To[Person] = _, ranges: To[Range] = _, sources: To[Source] = _, summaries: To[WorkstreamSummary] = _,
    tags: To[Tag] = _, websites: To[Website] = _, workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on messages."""


def on_persons(
    *,
    type: Is[PersonType] = _, access: Is[Mapping[str, PersonAccess] | None] = _, interactions: Is[int | None] = _,
    mechanisms: Is[Mechanisms | None] = _, created: Is[datetime] = _, updated: Is[datetime] = _,
    deleted: Is[datetime | None] = _, score: Is[Score | None] = _, anchors: ToAnchor = _,
    annotations: To[Annotation] = _, assets: To[Asset] = _, messages: To[ConversationMessage] = _,
    persons: To[Person] = _, sources: To[Source] = _, summaries: To[WorkstreamSummary] = _, tags: To[Tag] = _,
    websites: To[Website] = _, workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on persons."""


def on_ranges(
    *,
    from_: Is[datetime | None] = _, to: Is[datetime | None] = _, between: Is[bool | None] = _,
    created: Is[datetime] = _, updated: Is[datetime] = _, score: Is[Score | None] = _,
    conversations: To[Conversation] = _, messages: To[ConversationMessage] = _,
    summaries: To[WorkstreamSummary] = _,
) -> None:
    """Conditions on ranges."""


def on_sensitives(
    *,
    text: Is[str] = _, name: Is[str] = _, description: Is[str] = _, category: Is[SensitiveCategory | str] = _,
    severity: Is[SensitiveSeverity | str] = _, metadata: Is[SensitiveMetadata | None] = _,
    mechanism: Is[Mechanism | str] = _, interactions: Is[int | None] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, deleted: Is[datetime | None] = _, score: Is[Score | None] = _, asset: To[Asset] = _,
) -> None:
    """Conditions on sensitives."""


def on_shares(
    *,
    name: Is[str | None] = _, access: Is[Access | str] = _, link: Is[str] = _, short: Is[str] = _,
    user: Is[str | None] = _, accessors: Is[tuple[Accessor, ...]] = _, distributions: Any = _,
    created: Is[datetime] = _, score: Is[Score | None] = _, asset: To[Asset] = _, assets: To[Asset] = _,
) -> None:
    """Conditions on shares."""


def on_source_windows(
    *,
    name: Is[str] = _, created: Is[datetime] = _, updated: Is[datetime] = _, score: Is[Score | None] = _,
    tags: To[Tag] = _, websites: To[Website] = _, workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on source windows."""


def on_sources(
    *,
    readable: Is[str] = _, filter: Is[bool | None] = _, details: Is[SourceDetails] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, score: Is[Score | None] = _, anchors: ToAnchor = _,
    conversations: To[Conversation] = _, messages: To[ConversationMessage] = _, persons: To[Person] = _,
    summaries: To[WorkstreamSummary] = _, websites: To[Website] = _, workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on sources."""


def on_summaries(
    *,
    name: Is[str] = _, favorited: Is[bool | None] = _, phase: Is[SummaryPhase | str | None] = _,
    processing: Is[Capabilities | str | None] = _, parent_hierarchical_type: Is[HierarchicalType | str | None] = _,
    parent_hierarchical_type_descriptor: Is[str | None] = _, model: Is[Model] = _,
    mechanism: Is[Mechanism | str | None] = _, merged: Is[datetime | None] = _, created: Is[datetime] = _,
    updated: Is[datetime] = _, score: Is[Score | None] = _, message_root: To[ConversationMessage] = _,
    anchors: ToAnchor = _, annotations: To[Annotation] = _, assets: To[Asset] = _,
    children: To[WorkstreamSummary] = _, conversations: To[Conversation] = _, messages: To[ConversationMessage] = _,
    parents: To[WorkstreamSummary] = _, persons: To[Person] = _, ranges: To[Range] = _, sources: To[Source] = _,
    summaries: To[WorkstreamSummary] = _, tags: To[Tag] = _, websites: To[Website] = _,
    workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on summaries."""


def on_tags(
    *,
    text: Is[str] = _, category: Is[TagCategory | str] = _, interactions: Is[int | None] = _,
    mechanisms: Is[Mechanisms | None] = _, created: Is[datetime] = _, updated: Is[datetime] = _,
    deleted: Is[datetime | None] = _, score: Is[Score | None] = _, anchors: ToAnchor = _,
    annotations: To[Annotation] = _, assets: To[Asset] = _, messages: To[ConversationMessage] = _,
    persons: To[Person] = _, source_windows: To[SourceWindow] = _, summaries: To[WorkstreamSummary] = _,
    websites: To[Website] = _, workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on tags."""


def on_websites(
    *,
    name: Is[str] = _, url: Is[str] = _, interactions: Is[int | None] = _, mechanisms: Is[Mechanisms | None] = _,
    created: Is[datetime] = _, updated: Is[datetime] = _, deleted: Is[datetime | None] = _,
    score: Is[Score | None] = _, annotations: To[Annotation] = _, assets: To[Asset] = _,
    conversations: To[Conversation] = _, messages: To[ConversationMessage] = _, persons: To[Person] = _,
    source_windows: To[SourceWindow] = _, sources: To[Source] = _, summaries: To[WorkstreamSummary] = _,
    tags: To[Tag] = _, workstream_events: To[WorkstreamEvent] = _,
) -> None:
    """Conditions on websites."""


def on_workstream_events(
    *,
    trigger: Is[Trigger] = _, readable: Is[str | None] = _, window_title: Is[str | None] = _,
    browser_url: Is[str | None] = _, processing: Is[Capabilities | str | None] = _,
    application: Is[Application] = _, created: Is[datetime] = _, updated: Is[datetime] = _,
    score: Is[Score | None] = _, anchors: ToAnchor = _, annotations: To[Annotation] = _,
    messages: To[ConversationMessage] = _, persons: To[Person] = _, source_windows: To[SourceWindow] = _,
    sources: To[Source] = _, summaries: To[WorkstreamSummary] = _, tags: To[Tag] = _, websites: To[Website] = _,
) -> None:
    """Conditions on workstream events."""
# fmt: on
