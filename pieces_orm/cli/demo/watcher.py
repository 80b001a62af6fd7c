"""The demo's second session, which records the changes that its streams report."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from ... import Anchor, Asset, Entity, Session, Tag, Website, WorkstreamSummary
from .created import label

if TYPE_CHECKING:
    from ... import Change

WATCHED: tuple[type[Entity], ...] = (Asset, Anchor, Website, Tag, WorkstreamSummary)
POLL_S = 0.05


class Watcher:
    """Record in a thread, until the session closes, what its streams report.

    Args:
        timeout_s: how long to wait for the streams to be live, and in each call of `wait`.

    Raises:
        RequestTimeout: the streams are not live in time.
    """

    def __init__(self, session: Session, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._incoming = session.changes(*WATCHED).wait_live(timeout_s)
        self._changes: list[Change] = []  # they hold the entities: only of these the changed fields are known
        self._names: dict[str, str] = {}
        threading.Thread(target=self._record, name="pieces-orm demo watcher", daemon=True).start()

    def _record(self) -> None:
        for change in self._incoming:
            # Its first name, before it is renamed; what is a mere id yet may get a name later.
            if change.id not in self._names and (name := label(change.entity)) != change.id:
                self._names[change.id] = name
            self._changes.append(change)

    def wait(self, operation: str, ids: Collection[str], field: str | None = None) -> int:
        """Wait until an operation was reported for all of these ids, and return for how many it was.

        Args:
            operation: such as "deleted".
            ids: of materials.
            field: a field that must have changed.
        """
        deadline = time.monotonic() + self._timeout_s
        while True:
            reported = {
                change.id
                for change in self.changes(operation, ids)
                if field is None or (change.fields is not None and field in change.fields)
            }
            if len(reported) == len(ids) or time.monotonic() > deadline:
                return len(reported)
            time.sleep(POLL_S)

    def changes(self, operation: str, ids: Collection[str]) -> list[Change]:
        """Return the recorded changes by an operation of these materials; others may be at work on the same server."""
        wanted = set(ids)
        return [change for change in list(self._changes) if change.operation == operation and change.id in wanted]

    def describe(self, change: Change) -> str:
        """Format a change as a line."""
        line = f"{change.operation} {self._called(change.entity)}"
        if change.other is not None:
            return f"{line} with {self._called(change.other)}"
        return f"{line}: its name is now {label(change.entity)}" if "name" in change.before else line

    def _called(self, entity: Entity) -> str:
        return f"{entity._schema.kind.name} {self._names.get(entity.id) or label(entity)}"
