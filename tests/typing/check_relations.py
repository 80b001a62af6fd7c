"""The type of every relation, on the class and on an entity: checked by mypy --strict with the package, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from pieces_orm.orm.relations import Many, One, Related

if TYPE_CHECKING:
    from typing_extensions import assert_type  # noqa: TC004 this file is checked, never run


def activity(each: Activity) -> None:
    assert_type(Activity.asset, One[Asset])
    assert_type(each.asset, Asset | None)
    assert_type(Activity.format, One[Format])
    assert_type(each.format, Format | None)


def anchor(each: Anchor) -> None:
    assert_type(Anchor.anchor_points, Many[AnchorPoint])
    assert_type(each.anchor_points, Related[AnchorPoint])
    assert_type(Anchor.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(Anchor.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(Anchor.conversations, Many[Conversation])
    assert_type(each.conversations, Related[Conversation])
    assert_type(Anchor.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Anchor.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(Anchor.sources, Many[Source])
    assert_type(each.sources, Related[Source])
    assert_type(Anchor.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Anchor.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(Anchor.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def anchor_point(each: AnchorPoint) -> None:
    assert_type(AnchorPoint.anchor, One[Anchor])
    assert_type(each.anchor, Anchor | None)


def annotation(each: Annotation) -> None:
    assert_type(Annotation.anchor, One[Anchor])
    assert_type(each.anchor, Anchor | None)
    assert_type(Annotation.asset, One[Asset])
    assert_type(each.asset, Asset | None)
    assert_type(Annotation.conversation, One[Conversation])
    assert_type(each.conversation, Conversation | None)
    assert_type(Annotation.person, One[Person])
    assert_type(each.person, Person | None)
    assert_type(Annotation.summary, One[WorkstreamSummary])
    assert_type(each.summary, WorkstreamSummary | None)
    assert_type(Annotation.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(Annotation.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(Annotation.conversations, Many[Conversation])
    assert_type(each.conversations, Related[Conversation])
    assert_type(Annotation.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Annotation.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(Annotation.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Annotation.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(Annotation.websites, Many[Website])
    assert_type(each.websites, Related[Website])
    assert_type(Annotation.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def asset(each: Asset) -> None:
    assert_type(Asset.original, One[Format])
    assert_type(each.original, Format | None)
    assert_type(Asset.preview, One[Format])
    assert_type(each.preview, Format | None)
    assert_type(Asset.overlay, One[Format])
    assert_type(each.overlay, Format | None)
    assert_type(Asset.activities, Many[Activity])
    assert_type(each.activities, Related[Activity])
    assert_type(Asset.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(Asset.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(Asset.conversations, Many[Conversation])
    assert_type(each.conversations, Related[Conversation])
    assert_type(Asset.formats, Many[Format])
    assert_type(each.formats, Related[Format])
    assert_type(Asset.hints, Many[Hint])
    assert_type(each.hints, Related[Hint])
    assert_type(Asset.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Asset.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(Asset.sensitives, Many[Sensitive])
    assert_type(each.sensitives, Related[Sensitive])
    assert_type(Asset.shares, Many[Share])
    assert_type(each.shares, Related[Share])
    assert_type(Asset.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Asset.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(Asset.websites, Many[Website])
    assert_type(each.websites, Related[Website])


def conversation(each: Conversation) -> None:
    assert_type(Conversation.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(Conversation.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(Conversation.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(Conversation.grounding_messages, Many[ConversationMessage])
    assert_type(each.grounding_messages, Related[ConversationMessage])
    assert_type(Conversation.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Conversation.ranges, Many[Range])
    assert_type(each.ranges, Related[Range])
    assert_type(Conversation.sources, Many[Source])
    assert_type(each.sources, Related[Source])
    assert_type(Conversation.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Conversation.websites, Many[Website])
    assert_type(each.websites, Related[Website])


def conversation_message(each: ConversationMessage) -> None:
    assert_type(ConversationMessage.conversation, One[Conversation])
    assert_type(each.conversation, Conversation | None)
    assert_type(ConversationMessage.summary_root, One[WorkstreamSummary])
    assert_type(each.summary_root, WorkstreamSummary | None)
    assert_type(ConversationMessage.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(ConversationMessage.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(ConversationMessage.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(ConversationMessage.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(ConversationMessage.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(ConversationMessage.ranges, Many[Range])
    assert_type(each.ranges, Related[Range])
    assert_type(ConversationMessage.sources, Many[Source])
    assert_type(each.sources, Related[Source])
    assert_type(ConversationMessage.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(ConversationMessage.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(ConversationMessage.websites, Many[Website])
    assert_type(each.websites, Related[Website])
    assert_type(ConversationMessage.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def format(each: Format) -> None:
    assert_type(Format.asset, One[Asset])
    assert_type(each.asset, Asset | None)
    assert_type(Format.activities, Many[Activity])
    assert_type(each.activities, Related[Activity])


def hint(each: Hint) -> None:
    assert_type(Hint.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])


def person(each: Person) -> None:
    assert_type(Person.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(Person.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(Person.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(Person.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Person.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(Person.sources, Many[Source])
    assert_type(each.sources, Related[Source])
    assert_type(Person.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Person.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(Person.websites, Many[Website])
    assert_type(each.websites, Related[Website])
    assert_type(Person.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def range(each: Range) -> None:
    assert_type(Range.conversations, Many[Conversation])
    assert_type(each.conversations, Related[Conversation])
    assert_type(Range.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Range.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])


def sensitive(each: Sensitive) -> None:
    assert_type(Sensitive.asset, One[Asset])
    assert_type(each.asset, Asset | None)


def share(each: Share) -> None:
    assert_type(Share.asset, One[Asset])
    assert_type(each.asset, Asset | None)
    assert_type(Share.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])


def source(each: Source) -> None:
    assert_type(Source.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(Source.conversations, Many[Conversation])
    assert_type(each.conversations, Related[Conversation])
    assert_type(Source.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Source.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(Source.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Source.websites, Many[Website])
    assert_type(each.websites, Related[Website])
    assert_type(Source.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def source_window(each: SourceWindow) -> None:
    assert_type(SourceWindow.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(SourceWindow.websites, Many[Website])
    assert_type(each.websites, Related[Website])
    assert_type(SourceWindow.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def tag(each: Tag) -> None:
    assert_type(Tag.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(Tag.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(Tag.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(Tag.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Tag.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(Tag.source_windows, Many[SourceWindow])
    assert_type(each.source_windows, Related[SourceWindow])
    assert_type(Tag.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Tag.websites, Many[Website])
    assert_type(each.websites, Related[Website])
    assert_type(Tag.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def website(each: Website) -> None:
    assert_type(Website.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(Website.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(Website.conversations, Many[Conversation])
    assert_type(each.conversations, Related[Conversation])
    assert_type(Website.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(Website.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(Website.source_windows, Many[SourceWindow])
    assert_type(each.source_windows, Related[SourceWindow])
    assert_type(Website.sources, Many[Source])
    assert_type(each.sources, Related[Source])
    assert_type(Website.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(Website.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(Website.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])


def workstream_event(each: WorkstreamEvent) -> None:
    assert_type(WorkstreamEvent.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(WorkstreamEvent.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(WorkstreamEvent.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(WorkstreamEvent.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(WorkstreamEvent.source_windows, Many[SourceWindow])
    assert_type(each.source_windows, Related[SourceWindow])
    assert_type(WorkstreamEvent.sources, Many[Source])
    assert_type(each.sources, Related[Source])
    assert_type(WorkstreamEvent.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(WorkstreamEvent.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(WorkstreamEvent.websites, Many[Website])
    assert_type(each.websites, Related[Website])


def workstream_summary(each: WorkstreamSummary) -> None:
    assert_type(WorkstreamSummary.message_root, One[ConversationMessage])
    assert_type(each.message_root, ConversationMessage | None)
    assert_type(WorkstreamSummary.anchors, Many[Anchor])
    assert_type(each.anchors, Related[Anchor])
    assert_type(WorkstreamSummary.annotations, Many[Annotation])
    assert_type(each.annotations, Related[Annotation])
    assert_type(WorkstreamSummary.assets, Many[Asset])
    assert_type(each.assets, Related[Asset])
    assert_type(WorkstreamSummary.children, Many[WorkstreamSummary])
    assert_type(each.children, Related[WorkstreamSummary])
    assert_type(WorkstreamSummary.conversations, Many[Conversation])
    assert_type(each.conversations, Related[Conversation])
    assert_type(WorkstreamSummary.messages, Many[ConversationMessage])
    assert_type(each.messages, Related[ConversationMessage])
    assert_type(WorkstreamSummary.parents, Many[WorkstreamSummary])
    assert_type(each.parents, Related[WorkstreamSummary])
    assert_type(WorkstreamSummary.persons, Many[Person])
    assert_type(each.persons, Related[Person])
    assert_type(WorkstreamSummary.ranges, Many[Range])
    assert_type(each.ranges, Related[Range])
    assert_type(WorkstreamSummary.sources, Many[Source])
    assert_type(each.sources, Related[Source])
    assert_type(WorkstreamSummary.summaries, Many[WorkstreamSummary])
    assert_type(each.summaries, Related[WorkstreamSummary])
    assert_type(WorkstreamSummary.tags, Many[Tag])
    assert_type(each.tags, Related[Tag])
    assert_type(WorkstreamSummary.websites, Many[Website])
    assert_type(each.websites, Related[Website])
    assert_type(WorkstreamSummary.workstream_events, Many[WorkstreamEvent])
    assert_type(each.workstream_events, Related[WorkstreamEvent])
