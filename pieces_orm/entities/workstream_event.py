"""Workstream events: what somebody did, when, in which application."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed, reference, references
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import Application, Capabilities, Score, Trigger
from ..wire import kinds

if TYPE_CHECKING:
    from . import (
        Anchor,
        Annotation,
        ConversationMessage,
        Person,
        Source,
        SourceWindow,
        Tag,
        Website,
        WorkstreamSummary,
    )


@entity(kinds.WORKSTREAM_EVENT)
class WorkstreamEvent(Entity):
    """One thing that happened at somebody's desk."""

    trigger: Trigger = field()
    readable: str | None = field()
    window_title: str | None = field("windowTitle")
    browser_url: str | None = field("browserUrl")
    processing: Capabilities | None = field()
    application: Application = readonly()
    created: datetime = readonly()
    updated: datetime = readonly()
    score: Score | None = readonly()
    anchors = Many["Anchor"](wire="anchors", back="workstream_events")
    annotations = Many["Annotation"](wire="annotations", back="workstream_events")
    messages = Many["ConversationMessage"](wire="messages", back="workstream_events")
    persons = Many["Person"](wire="persons", back="workstream_events")
    source_windows = Many["SourceWindow"](wire="source_windows", back="workstream_events")
    sources = Many["Source"](wire="sources", back="workstream_events")
    summaries = Many["WorkstreamSummary"](wire="summaries", back="workstream_events")
    tags = Many["Tag"](wire="tags", back="workstream_events")
    websites = Many["Website"](wire="websites", back="workstream_events")

    @staticmethod
    def _seed(
        context: Context,
        trigger: Trigger,
        *,
        readable: str | None = None,
        processing: Capabilities | str | None = None,
        internal_identifier: str | None = None,
        summary: WorkstreamSummary | None = None,
        anchors: Sequence[Anchor] = (),
        persons: Sequence[Person] = (),
        tags: Sequence[Tag] = (),
        websites: Sequence[Website] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a workstream event of this application.

        Args:
            trigger: what happened.
            readable: the text that goes with it.
            processing: where it may be processed.
            internal_identifier: a name of your own for it.
            summary, anchors, persons, tags, websites: what it is associated with.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        body = {
            "application": context.connection.application,
            "trigger": trigger,
            "readable": readable,
            "processing": processing,
            "internal_identifier": internal_identifier,
            "summary": reference(summary),
            "anchors": references(anchors),
            "persons": references(persons),
            "tags": references(tags),
            "websites": references(websites),
        }
        return Seed(body, {"transferables": transferables})
