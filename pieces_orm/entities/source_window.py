"""Source windows: windows of applications in which workstream events happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..values import Score
from ..wire import kinds
from .declaring import Context, Entity, Many, Seed, collections_of, entity, field, readonly

if TYPE_CHECKING:
    from . import *  # noqa: F403 kinds name each other


@entity(kinds.SOURCE_WINDOW)
class SourceWindow(Entity):
    """A window of an application in which workstream events happened."""

    name: str = field(doc="The title of the window.")
    created: datetime = readonly()
    updated: datetime = readonly()
    score: Score | None = readonly()
    tags = Many["Tag"](wire="tags", back="source_windows")
    websites = Many["Website"](wire="websites", back="source_windows")
    workstream_events = Many["WorkstreamEvent"](wire="workstream_events", back="source_windows")

    @staticmethod
    def _seed(
        context: Context,
        name: str,
        *,
        workstream_events: Sequence[str | WorkstreamEvent] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """Compose the seed of a source window.

        Args:
            name: the title of the window.
            workstream_events: events that happened in it.
            transferables: whether the answer carries contents; None lets the server decide.
        """
        return Seed({"name": name, **collections_of(workstream_events)}, {"transferables": transferables})
