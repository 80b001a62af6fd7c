"""Ids that a stream reported and that are still to be fetched, coalesced for a moment."""

from __future__ import annotations

import time
from collections.abc import Mapping

import attrs

from ..transport.backoff import pause_after

# An id is fetched once it was not reported for so long, and a busy one after the maximum.
DEBOUNCE_S = 0.025
MAX_DEBOUNCE_S = 0.25

# Reports of an id; of two, the greater counts. SEEN: it changed before there was a stream. SURVIVED: it may have
# changed while the stream was lost.
SEEN, SURVIVED, UPDATED, VANISHED, DELETED = range(5)

# Attempts after which an id that cannot be read does not keep its kind from being live any more.
MAX_ATTEMPTS = 3


@attrs.define
class _Report:
    report: int
    first: float
    last: float
    due: float = 0.0


class Pending:
    """Reported ids that are to be fetched: one entry for each, however often it is reported."""

    def __init__(self) -> None:
        self._reports: dict[str, _Report] = {}
        # Failed attempts by id, as long as it cannot be read.
        self._attempts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._reports)

    @property
    def hopeful(self) -> bool:
        """True if any of them may still become readable soon."""
        return any(self._attempts.get(id, 0) < MAX_ATTEMPTS for id in self._reports)

    @property
    def seconds_until_due(self) -> float | None:
        """Seconds until one of them may be taken; None when there is none."""
        if not self._reports:
            return None
        return max(0.0, min(report.due for report in self._reports.values()) - time.monotonic())

    def add(self, id: str, report: int) -> None:
        """Add a report of an id."""
        now = time.monotonic()
        waiting = self._reports.setdefault(id, _Report(report, now, now))
        waiting.report, waiting.last = max(report, waiting.report), now

    def finish(self, taken: Mapping[str, int], failed: Mapping[str, int]) -> None:
        """Finish ids that were taken; those that failed are tried again, after growing pauses."""
        for id in taken:
            if id not in failed:
                self._attempts.pop(id, None)
        for id, report in failed.items():
            self._attempts[id] = attempts = self._attempts.get(id, 0) + 1
            self.add(id, report)
            self._reports[id].due = time.monotonic() + pause_after(attempts)

    def take(self) -> dict[str, int]:
        """Take the ids that are due: not reported just now, or put off for the maximum."""
        now = time.monotonic()
        due = {
            id: waiting.report
            for id, waiting in self._reports.items()
            if now >= waiting.due and (now - waiting.last >= DEBOUNCE_S * 0.8 or now - waiting.first >= MAX_DEBOUNCE_S)
        }
        for id in due:
            del self._reports[id]
        return due
