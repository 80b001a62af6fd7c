"""A fence: when it is passed, everything that happened before it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.support import Heard, wait_for

from .cells import NEEDS, PARTS, POLLED, UNWATCHED, create

# A change is found again by the polls of the next seconds: so often must they have come by with nothing to tell.
POLLS = 5


class Fence:
    """Waits until a watching session has told everything.

    A feed tells in turn: when the creation of a marker by another program is told, whatever was reported before is told
    too, or waits in the same batch; with a second marker that batch is done.

    Args:
        heard: what the watching session tells.
        other: the session of another program.
        kinds: the kinds that are watched.
    """

    def __init__(self, heard: Heard, other: Any, kinds: Iterable[str]) -> None:
        self.markers: set[str] = set()
        self._heard = heard
        self._other = other
        self._kinds = sorted(set(kinds) - UNWATCHED)

    def wait(self, polls: int = 2) -> None:
        """Wait for two markers of each kind, and for as many as `polls` of polled kinds."""
        for n in range(polls):
            self._mark([kind for kind in self._kinds if n < 2 or kind in POLLED])

    def _mark(self, kinds: list[str]) -> None:
        wanted = {self._marker(kind).id for kind in kinds}
        wait_for(lambda: wanted <= {event[2] for event in list(self._heard.events) if event[0] == "created"}, 15)

    def _marker(self, kind: str) -> Any:
        """Create a marker of a kind; what comes with it is no news either."""
        owner = "asset" if kind == "format" else NEEDS.get(kind)
        needed = self._marker(owner) if owner else None
        made = needed.original if kind == "format" else create(self._other, kind, needed)
        self.markers.add(made.id)
        if kind in PARTS:
            self.markers.update(getattr(made, PARTS[kind][0]).ids)
        return made
