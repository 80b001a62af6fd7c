"""The type of every field of every kind, as type checkers see it: checked by mypy --strict, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pieces_orm import (
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
from pieces_orm.values import (
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

if TYPE_CHECKING:
    from typing_extensions import assert_type  # noqa: TC004 this file is checked, never run


def activity(each: Activity) -> None:
    assert_type(each.application, Application)
    assert_type(each.mechanism, Mechanism)
    assert_type(each.rank, int | None)
    assert_type(each.event, Any)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)


def anchor(each: Anchor) -> None:
    assert_type(each.name, str | None)
    assert_type(each.watch, bool | None)
    assert_type(each.type, AnchorType)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def anchor_point(each: AnchorPoint) -> None:
    assert_type(each.fullpath, str)
    assert_type(each.verified, bool | None)
    assert_type(each.platform, Platform | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def annotation(each: Annotation) -> None:
    assert_type(each.text, str)
    assert_type(each.type, AnnotationType)
    assert_type(each.favorited, bool | None)
    assert_type(each.mechanism, Mechanism | None)
    assert_type(each.pseudo, bool | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def asset(each: Asset) -> None:
    assert_type(each.name, str | None)
    assert_type(each.favorited, bool | None)
    assert_type(each.creator, str)
    assert_type(each.curated, bool | None)
    assert_type(each.demo, bool | None)
    assert_type(each.discovered, bool | None)
    assert_type(each.mechanism, Mechanism)
    assert_type(each.pseudo, bool | None)
    assert_type(each.classification, Classification | None)
    assert_type(each.text, str | None)
    assert_type(each.language, str | None)
    assert_type(each.description, str | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.interacted, datetime | None)
    assert_type(each.synced, datetime | None)
    assert_type(each.score, Score | None)


def conversation(each: Conversation) -> None:
    assert_type(each.name, str | None)
    assert_type(each.favorited, bool | None)
    assert_type(each.type, ConversationType)
    assert_type(each.application, Application | None)
    assert_type(each.demo, bool | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def conversation_message(each: ConversationMessage) -> None:
    assert_type(each.text, str | None)
    assert_type(each.role, MessageRole)
    assert_type(each.sentiment, Sentiment | None)
    assert_type(each.agent, MessageAgent | None)
    assert_type(each.model, Model | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def format(each: Format) -> None:
    assert_type(each.role, FormatRole)
    assert_type(each.classification, Classification)
    assert_type(each.bytes, Bytes)
    assert_type(each.text, str | None)
    assert_type(each.creator, str)
    assert_type(each.application, Application)
    assert_type(each.cloud, str | None)
    assert_type(each.icon, str | None)
    assert_type(each.synced, datetime | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)


def hint(each: Hint) -> None:
    assert_type(each.text, str)
    assert_type(each.type, HintType)
    assert_type(each.mechanisms, Mechanisms | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def person(each: Person) -> None:
    assert_type(each.type, PersonType)
    assert_type(each.access, Mapping[str, PersonAccess] | None)
    assert_type(each.interactions, int | None)
    assert_type(each.mechanisms, Mechanisms | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def range(each: Range) -> None:
    assert_type(each.from_, datetime | None)
    assert_type(each.to, datetime | None)
    assert_type(each.between, bool | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.score, Score | None)


def sensitive(each: Sensitive) -> None:
    assert_type(each.text, str)
    assert_type(each.name, str)
    assert_type(each.description, str)
    assert_type(each.category, SensitiveCategory)
    assert_type(each.severity, SensitiveSeverity)
    assert_type(each.metadata, SensitiveMetadata | None)
    assert_type(each.mechanism, Mechanism)
    assert_type(each.interactions, int | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def share(each: Share) -> None:
    assert_type(each.name, str | None)
    assert_type(each.access, Access)
    assert_type(each.link, str)
    assert_type(each.short, str)
    assert_type(each.user, str | None)
    assert_type(each.accessors, tuple[Accessor, ...])
    assert_type(each.distributions, Any)
    assert_type(each.created, datetime)
    assert_type(each.score, Score | None)


def source(each: Source) -> None:
    assert_type(each.readable, str)
    assert_type(each.filter, bool | None)
    assert_type(each.details, SourceDetails)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.score, Score | None)


def source_window(each: SourceWindow) -> None:
    assert_type(each.name, str)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.score, Score | None)


def tag(each: Tag) -> None:
    assert_type(each.text, str)
    assert_type(each.category, TagCategory)
    assert_type(each.interactions, int | None)
    assert_type(each.mechanisms, Mechanisms | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def website(each: Website) -> None:
    assert_type(each.name, str)
    assert_type(each.url, str)
    assert_type(each.interactions, int | None)
    assert_type(each.mechanisms, Mechanisms | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.deleted, datetime | None)
    assert_type(each.score, Score | None)


def workstream_event(each: WorkstreamEvent) -> None:
    assert_type(each.trigger, Trigger)
    assert_type(each.readable, str | None)
    assert_type(each.window_title, str | None)
    assert_type(each.browser_url, str | None)
    assert_type(each.processing, Capabilities | None)
    assert_type(each.application, Application)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.score, Score | None)


def workstream_summary(each: WorkstreamSummary) -> None:
    assert_type(each.name, str)
    assert_type(each.favorited, bool | None)
    assert_type(each.phase, SummaryPhase | None)
    assert_type(each.processing, Capabilities | None)
    assert_type(each.parent_hierarchical_type, HierarchicalType | None)
    assert_type(each.parent_hierarchical_type_descriptor, str | None)
    assert_type(each.model, Model)
    assert_type(each.mechanism, Mechanism | None)
    assert_type(each.merged, datetime | None)
    assert_type(each.created, datetime)
    assert_type(each.updated, datetime)
    assert_type(each.score, Score | None)
