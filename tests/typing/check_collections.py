"""The types of collections and of what they create: checked by mypy --strict with the package, never run."""

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
    Found,
    Hint,
    Live,
    Person,
    Range,
    Sensitive,
    Session,
    Share,
    Source,
    SourceWindow,
    Tag,
    Website,
    WorkstreamEvent,
    WorkstreamSummary,
)
from pieces_orm.values import Trigger

if TYPE_CHECKING:
    from typing_extensions import assert_type  # noqa: TC004 this file is checked, never run


def scopes(session: Session) -> None:
    with session.scope(autoload=False, concurrency=2, dispatch=None) as own:
        assert_type(own, Session)
        assert_type(own.tags.get("id"), Tag)


def collections(session: Session) -> None:
    assert_type(session.activities.get("id"), Activity)
    assert_type(session.activities.get("id", None), Activity | None)
    assert_type(session.activities.all(), list[Activity])
    assert_type(session.activities.get_many([]), list[Activity])
    assert_type(session.activities.live(), Live[Activity])
    assert_type(session[Activity].ref("id"), Activity)
    assert_type(session.anchors.get("id"), Anchor)
    assert_type(session.anchors.get("id", None), Anchor | None)
    assert_type(session.anchors.all(), list[Anchor])
    assert_type(session.anchors.get_many([]), list[Anchor])
    assert_type(session.anchors.live(), Live[Anchor])
    assert_type(session[Anchor].ref("id"), Anchor)
    assert_type(session.anchors.search("x"), list[Found[Anchor]])
    assert_type(session.anchor_points.get("id"), AnchorPoint)
    assert_type(session.anchor_points.get("id", None), AnchorPoint | None)
    assert_type(session.anchor_points.all(), list[AnchorPoint])
    assert_type(session.anchor_points.get_many([]), list[AnchorPoint])
    assert_type(session.anchor_points.live(), Live[AnchorPoint])
    assert_type(session[AnchorPoint].ref("id"), AnchorPoint)
    assert_type(session.annotations.get("id"), Annotation)
    assert_type(session.annotations.get("id", None), Annotation | None)
    assert_type(session.annotations.all(), list[Annotation])
    assert_type(session.annotations.get_many([]), list[Annotation])
    assert_type(session.annotations.live(), Live[Annotation])
    assert_type(session[Annotation].ref("id"), Annotation)
    assert_type(session.annotations.search("x"), list[Found[Annotation]])
    assert_type(session.assets.get("id"), Asset)
    assert_type(session.assets.get("id", None), Asset | None)
    assert_type(session.assets.all(), list[Asset])
    assert_type(session.assets.get_many([]), list[Asset])
    assert_type(session.assets.live(), Live[Asset])
    assert_type(session[Asset].ref("id"), Asset)
    assert_type(session.conversations.get("id"), Conversation)
    assert_type(session.conversations.get("id", None), Conversation | None)
    assert_type(session.conversations.all(), list[Conversation])
    assert_type(session.conversations.get_many([]), list[Conversation])
    assert_type(session.conversations.live(), Live[Conversation])
    assert_type(session[Conversation].ref("id"), Conversation)
    assert_type(session.conversations.search("x"), list[Found[Conversation]])
    assert_type(session.messages.get("id"), ConversationMessage)
    assert_type(session.messages.get("id", None), ConversationMessage | None)
    assert_type(session.messages.all(), list[ConversationMessage])
    assert_type(session.messages.get_many([]), list[ConversationMessage])
    assert_type(session.messages.live(), Live[ConversationMessage])
    assert_type(session[ConversationMessage].ref("id"), ConversationMessage)
    assert_type(session.messages.search("x"), list[Found[ConversationMessage]])
    assert_type(session.formats.get("id"), Format)
    assert_type(session.formats.get("id", None), Format | None)
    assert_type(session.formats.all(), list[Format])
    assert_type(session.formats.get_many([]), list[Format])
    assert_type(session.formats.live(), Live[Format])
    assert_type(session[Format].ref("id"), Format)
    assert_type(session.hints.get("id"), Hint)
    assert_type(session.hints.get("id", None), Hint | None)
    assert_type(session.hints.all(), list[Hint])
    assert_type(session.hints.get_many([]), list[Hint])
    assert_type(session.hints.live(), Live[Hint])
    assert_type(session[Hint].ref("id"), Hint)
    assert_type(session.hints.search("x"), list[Found[Hint]])
    assert_type(session.persons.get("id"), Person)
    assert_type(session.persons.get("id", None), Person | None)
    assert_type(session.persons.all(), list[Person])
    assert_type(session.persons.get_many([]), list[Person])
    assert_type(session.persons.live(), Live[Person])
    assert_type(session[Person].ref("id"), Person)
    assert_type(session.persons.search("x"), list[Found[Person]])
    assert_type(session.ranges.get("id"), Range)
    assert_type(session.ranges.get("id", None), Range | None)
    assert_type(session.ranges.all(), list[Range])
    assert_type(session.ranges.get_many([]), list[Range])
    assert_type(session.ranges.live(), Live[Range])
    assert_type(session[Range].ref("id"), Range)
    assert_type(session.sensitives.get("id"), Sensitive)
    assert_type(session.sensitives.get("id", None), Sensitive | None)
    assert_type(session.sensitives.all(), list[Sensitive])
    assert_type(session.sensitives.get_many([]), list[Sensitive])
    assert_type(session.sensitives.live(), Live[Sensitive])
    assert_type(session[Sensitive].ref("id"), Sensitive)
    assert_type(session.sensitives.search("x"), list[Found[Sensitive]])
    assert_type(session.shares.get("id"), Share)
    assert_type(session.shares.get("id", None), Share | None)
    assert_type(session.shares.all(), list[Share])
    assert_type(session.shares.get_many([]), list[Share])
    assert_type(session.shares.live(), Live[Share])
    assert_type(session[Share].ref("id"), Share)
    assert_type(session.sources.get("id"), Source)
    assert_type(session.sources.get("id", None), Source | None)
    assert_type(session.sources.all(), list[Source])
    assert_type(session.sources.get_many([]), list[Source])
    assert_type(session.sources.live(), Live[Source])
    assert_type(session[Source].ref("id"), Source)
    assert_type(session.sources.search("x"), list[Found[Source]])
    assert_type(session.source_windows.get("id"), SourceWindow)
    assert_type(session.source_windows.get("id", None), SourceWindow | None)
    assert_type(session.source_windows.all(), list[SourceWindow])
    assert_type(session.source_windows.get_many([]), list[SourceWindow])
    assert_type(session.source_windows.live(), Live[SourceWindow])
    assert_type(session[SourceWindow].ref("id"), SourceWindow)
    assert_type(session.source_windows.search("x"), list[Found[SourceWindow]])
    assert_type(session.tags.get("id"), Tag)
    assert_type(session.tags.get("id", None), Tag | None)
    assert_type(session.tags.all(), list[Tag])
    assert_type(session.tags.get_many([]), list[Tag])
    assert_type(session.tags.live(), Live[Tag])
    assert_type(session[Tag].ref("id"), Tag)
    assert_type(session.tags.search("x"), list[Found[Tag]])
    assert_type(session.websites.get("id"), Website)
    assert_type(session.websites.get("id", None), Website | None)
    assert_type(session.websites.all(), list[Website])
    assert_type(session.websites.get_many([]), list[Website])
    assert_type(session.websites.live(), Live[Website])
    assert_type(session[Website].ref("id"), Website)
    assert_type(session.websites.search("x"), list[Found[Website]])
    assert_type(session.workstream_events.get("id"), WorkstreamEvent)
    assert_type(session.workstream_events.get("id", None), WorkstreamEvent | None)
    assert_type(session.workstream_events.all(), list[WorkstreamEvent])
    assert_type(session.workstream_events.get_many([]), list[WorkstreamEvent])
    assert_type(session.workstream_events.live(), Live[WorkstreamEvent])
    assert_type(session[WorkstreamEvent].ref("id"), WorkstreamEvent)
    assert_type(session.summaries.get("id"), WorkstreamSummary)
    assert_type(session.summaries.get("id", None), WorkstreamSummary | None)
    assert_type(session.summaries.all(), list[WorkstreamSummary])
    assert_type(session.summaries.get_many([]), list[WorkstreamSummary])
    assert_type(session.summaries.live(), Live[WorkstreamSummary])
    assert_type(session[WorkstreamSummary].ref("id"), WorkstreamSummary)
    assert_type(session.summaries.search("x"), list[Found[WorkstreamSummary]])


def creation(session: Session) -> None:
    assert_type(session.activities.create({}), Activity)
    assert_type(session.anchors.create("/x"), Anchor)
    assert_type(session.anchor_points.create(session.anchors.ref("a"), "/x"), AnchorPoint)
    assert_type(session.annotations.create("x"), Annotation)
    assert_type(session.assets.create("x"), Asset)
    assert_type(session.conversations.create("x"), Conversation)
    assert_type(session.messages.create("x", session.conversations.ref("a")), ConversationMessage)
    assert_type(session.hints.create("x"), Hint)
    assert_type(session.persons.create(name="x"), Person)
    assert_type(session.ranges.create(), Range)
    assert_type(session.sensitives.create(session.assets.ref("a"), "x", name="x", description="x"), Sensitive)
    assert_type(session.shares.create(session.assets.ref("a")), Share)
    assert_type(session.sources.create("x"), Source)
    assert_type(session.source_windows.create("x"), SourceWindow)
    assert_type(session.tags.create("x"), Tag)
    assert_type(session.websites.create("x"), Website)
    assert_type(session.workstream_events.create(Trigger(copy=True)), WorkstreamEvent)
    assert_type(session.summaries.create("x"), WorkstreamSummary)


def refused(session: Session) -> None:
    """Mistakes that a type checker finds: an ignore without one is an error too."""
    session.tags.create()  # type: ignore[call-arg]
    session.tags.create(5)  # type: ignore[arg-type]
    session.anchors.create("/x", invented=True)  # type: ignore[call-arg]
    session.shares.create(5)  # type: ignore[arg-type]
    session.assets.find("x")  # type: ignore[attr-defined]
