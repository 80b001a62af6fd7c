"""Source windows: windows that workstream events were seen in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..model.fields import field, readonly
from ..model.seed import Seed, references
from ..orm.context import Context
from ..orm.entity import Entity, entity
from ..orm.relations import Many
from ..values import Score
from ..wire import kinds

if TYPE_CHECKING:
    from . import Tag, Website, WorkstreamEvent


@entity(kinds.SOURCE_WINDOW)
class SourceWindow(Entity):
    """A window of an application."""

    name: str = field()
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
        workstream_events: Sequence[WorkstreamEvent] = (),
        transferables: bool | None = None,
    ) -> Seed:
        """What creates a source window.

        Args:
            name: its title.
            workstream_events: what was seen in it.
            transferables: whether the answer carries contents; None leaves it to the server.
        """
        body = {"name": name, "workstream_events": references(workstream_events)}
        return Seed(body, {"transferables": transferables})
