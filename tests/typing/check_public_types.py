"""Public types as type checkers see them, without a plugin: checked by mypy --strict, never run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pieces_orm
from pieces_orm import (
    Activity,
    Anchor,
    AnchorPoint,
    Annotation,
    Asset,
    Change,
    Conversation,
    ConversationMessage,
    Draft,
    Format,
    Hint,
    Hit,
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
from pieces_orm.collection.base import Collection
from pieces_orm.orm.relations import Many, One, Related
from pieces_orm.values import (
    AnchorType,
    Application,
    BasicPerson,
    Classification,
    Mechanism,
    Model,
    PersonType,
    Score,
    Trigger,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type  # noqa: TC004 this file is checked, never run


def fields(asset: Asset, anchor: Anchor, event: WorkstreamEvent, person: Person, summary: WorkstreamSummary) -> None:
    assert_type(asset.id, str)
    assert_type(asset.name, str | None)
    assert_type(asset.text, str | None)
    assert_type(asset.mechanism, Mechanism)
    assert_type(asset.created, datetime)
    assert_type(asset.score, Score | None)
    assert_type(asset.classification, Classification | None)
    assert_type(asset.is_image, bool)
    assert_type(anchor.type, AnchorType)
    assert_type(anchor.fullpath, str | None)
    assert_type(event.trigger, Trigger)
    assert_type(event.application, Application)
    assert_type(person.type, PersonType)
    assert_type(person.type.basic, BasicPerson | None)
    assert_type(summary.model, Model)
    asset.name = "x"
    asset.name = None
    asset.name = 5  # type: ignore[assignment]


def relations(asset: Asset, anchor: Anchor, message: ConversationMessage) -> None:
    assert_type(Anchor.assets, Many[Asset])
    assert_type(anchor.assets, Related[Asset])
    assert_type(anchor.assets.ids, tuple[str, ...])
    assert_type(iter(anchor.assets), Iterator[Asset])
    assert_type(anchor.assets[0], Asset)
    assert_type(asset.tags, Related[Tag])
    assert_type(asset.original, Format | None)
    assert_type(ConversationMessage.conversation, One[Conversation])
    assert_type(message.conversation, Conversation | None)
    anchor.assets.add(asset)
    anchor.assets.add(anchor)  # type: ignore[arg-type]


def created(session: pieces_orm.Session, asset: Asset, talk: Conversation, anchor: Anchor) -> None:
    assert_type(session.activities.create({}, asset=asset), Activity)
    assert_type(session.anchors.create("/x", type="FILE", name="x"), Anchor)
    assert_type(session.anchor_points.create(anchor, "/y"), AnchorPoint)
    assert_type(session.annotations.create("x", "COMMENT", asset=asset), Annotation)
    assert_type(session.assets.create("x", name="x", tags=["x"]), Asset)
    assert_type(session.assets.create(b"x"), Asset)
    assert_type(session.conversations.create("x"), Conversation)
    assert_type(session.hints.create("x"), Hint)
    assert_type(session.messages.create("x", talk, role="USER"), ConversationMessage)
    assert_type(session.persons.create(email="x@example.org"), Person)
    assert_type(session.ranges.create(), Range)
    assert_type(session.sensitives.create(asset, "x", name="x", description="x"), Sensitive)
    assert_type(session.shares.create(asset), Share)
    assert_type(session.sources.create("x"), Source)
    assert_type(session.source_windows.create("x"), SourceWindow)
    assert_type(session.summaries.create("x"), WorkstreamSummary)
    assert_type(session.tags.create("x"), Tag)
    assert_type(session.websites.create("https://x.example", name="x"), Website)
    assert_type(session.workstream_events.create(Trigger(copy=True), anchors=[anchor]), WorkstreamEvent)
    session.anchors.create("/x", nmae="x")  # type: ignore[call-arg]
    session.assets.create(5)  # type: ignore[arg-type]
    session.formats.create()


def collections(session: pieces_orm.Session, asset: Asset) -> None:
    assert_type(session.assets.get("x"), Asset)
    assert_type(session.assets.get("x", None), Asset | None)
    assert_type(session.assets.peek("x"), Asset | None)
    assert_type(session.assets.ref("x"), Asset)
    assert_type(session.assets.all(pseudo=True), list[Asset])
    assert_type(session.assets.ids(), tuple[str, ...])
    assert_type(session.assets.search("x"), list[Hit])
    assert_type(session.assets.search("x")[0].asset, Asset)
    assert_type(session.assets.draft("x"), Draft)
    assert_type(session.assets.stream(), Iterator[list[Asset]])
    assert_type(session.assets.formats(asset), list[Format])
    assert_type(session.tags.get_or_create("x"), Tag)
    assert_type(session.tags.get_many(["x"]), list[Tag])
    assert_type(session[Asset], Collection[Asset, ..., ...])
    assert_type(session[Anchor].get("x"), Anchor)


def verbs(asset: Asset, session: pieces_orm.Session) -> None:
    assert_type(asset.save(), frozenset[str])
    assert_type(asset.refresh(), Asset)
    assert_type(asset.edits, dict[str, Any])
    assert_type(asset.raw(), dict[str, Any])
    assert_type(session.models(), list[Model])
    assert_type(session.application, Application)
    assert_type(next(session.changes(Asset)), Change)
    with asset.editing() as same:
        assert_type(same, Asset)
