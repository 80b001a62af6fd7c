"""A fence: when it is passed, everything that happened before it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.support import Heard, wait_for

from .cells import CLASSES, NEEDS, PARTS, POLLED, UNWATCHED, create

MARKED = tuple(name for name in CLASSES if name not in {"anchor_point", "format"} | UNWATCHED)
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

    def __init__(self, heard: Heard, other: Any, kinds: Iterable[str] = MARKED) -> None:
        self.markers: set[str] = set()
        self._heard = heard
        self._other = other
        self._kinds = tuple(kinds)

    def wait(self, polls: int = 2) -> None:
        """Wait for two markers of each kind, and for as many as `polls` of polled kinds."""
        for n in range(polls):
            self._mark([kind for kind in self._kinds if n < 2 or kind in POLLED])

    def _mark(self, kinds: list[str]) -> None:
        needed = {kind: create(self._other, kind) for kind in {NEEDS[kind] for kind in kinds if kind in NEEDS}}
        made = [create(self._other, kind, needed.get(NEEDS.get(kind, ""))) for kind in kinds]
        parts = (getattr(each, PARTS[kind][0]).ids for kind, each in zip(kinds, made, strict=True) if kind in PARTS)
        wanted = {each.id for each in made}.union(*parts if set(self._kinds) == set(MARKED) else ())
        self.markers |= wanted | {each.id for each in needed.values()}
        self.markers.update(*(getattr(each, PARTS[kind][0]).ids for kind, each in needed.items() if kind in PARTS))
        wait_for(lambda: wanted <= {event[2] for event in list(self._heard.events) if event[0] == "created"}, 15)
