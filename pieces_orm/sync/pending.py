"""Ids that a stream reported and that are still to be fetched."""

from __future__ import annotations

import time
from collections.abc import Mapping

import attrs

from ..transport.websocket import pause_after

# Seconds without further news of an id before it is fetched, and how long a busy one is put off at most.
QUIET = 0.025
PUT_OFF = 0.25

# What was heard of an id; of two, the greater counts. SURVIVED: it may have changed while nothing could be heard.
SURVIVED, UPDATED, VANISHED, DELETED = range(4)

# Attempts after which an id that cannot be read does not keep its kind from being live any more.
HOPELESS = 3


@attrs.define
class _Heard:
    what: int
    first: float
    last: float
    due: float = 0.0


class Pending:
    """Ids that were heard of and are to be fetched: one entry an id, however often it is named."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}
        # How often an id could not be read, as long as it cannot.
        self._tries: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._heard)

    @property
    def hopeful(self) -> bool:
        """Whether any of them is not known to be beyond reading."""
        return any(self._tries.get(id, 0) < HOPELESS for id in self._heard)

    @property
    def patience(self) -> float | None:
        """Seconds until one of them may be taken; None when there is none."""
        if not self._heard:
            return None
        return max(0.0, min(heard.due for heard in self._heard.values()) - time.monotonic())

    def note(self, id: str, what: int) -> None:
        """Note what was heard of an id."""
        now = time.monotonic()
        heard = self._heard.setdefault(id, _Heard(what, now, now))
        heard.what, heard.last = max(what, heard.what), now

    def settle(self, taken: Mapping[str, int], failed: Mapping[str, int]) -> None:
        """Forget what was done of what was taken; what failed is tried again, after pauses that grow."""
        for id in taken:
            if id not in failed:
                self._tries.pop(id, None)
        for id, what in failed.items():
            self._tries[id] = tries = self._tries.get(id, 0) + 1
            self.note(id, what)
            self._heard[id].due = time.monotonic() + pause_after(tries)

    def take(self) -> dict[str, int]:
        """Those that are not just being changed again; an id that never rests is put off only so long."""
        now = time.monotonic()
        due = {
            id: heard.what
            for id, heard in self._heard.items()
            if now >= heard.due and (now - heard.last >= QUIET * 0.8 or now - heard.first >= PUT_OFF)
        }
        for id in due:
            del self._heard[id]
        return due
