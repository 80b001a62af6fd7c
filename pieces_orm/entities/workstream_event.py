"""Workstream events: records of what somebody did, when, and in which application."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..values import Application, Capabilities, Score, Trigger
from ..values.checking import page_address
from ..wire import kinds
from .declaring import Context, Entity, Many, Seed, collections_of, entity, field, readonly, reference

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.WORKSTREAM_EVENT)
class WorkstreamEvent(Entity):
    """A record of one action at the computer, such as a copy or a switch of tabs."""

    trigger: Trigger = field(doc="The action that was recorded, such as a copy or a switch of tabs.")
    readable: str | None = field(doc="The text that goes with the action.")
    window_title: str | None = field("windowTitle", doc="The title of the tab or file in the window.")
    browser_url: str | None = field("browserUrl", accepts=page_address, doc="The address of the page in the browser.")
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
        summary: str | WorkstreamSummary | None = None,
        anchors: Sequence[str | PurePath | Anchor] = (),
        persons: Sequence[str | Person] = (),
        tags: Sequence[str | Tag] = (),
        websites: Sequence[str | Website] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a workstream event, recorded for this application.

        Args:
            trigger: the action to record.
            readable: the text that goes with the action.
            processing: where the event may be processed.
            internal_identifier: an identifier of your own for the event.
            summary, anchors, persons, tags, websites: materials to associate with it.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        body = {
            "application": context.connection.application,
            "trigger": trigger,
            "readable": readable,
            "processing": processing,
            "internal_identifier": internal_identifier,
            "summary": reference(summary),
            **collections_of(anchors, persons, tags, websites),
        }
        return Seed(body, {"transferables": transferables})
