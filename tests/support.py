"""What the tests of the core share: a whole list of what signals said, and waiting for conditions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pieces_orm import Session

TOLD = ("created", "changed", "deleted", "associated", "disassociated")


class Clock:
    """A stand-in for `time` in a module: a clock that a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        """Return the time, put forward."""
        return time.monotonic() + self.ahead


class Heard:
    """Every signal of a session about its materials, in order, as tuples that can be compared."""

    def __init__(self, session: Session) -> None:
        self.events: list[tuple[Any, ...]] = []
        self._receivers = [self._receiver(name) for name in TOLD]
        for name, receiver in zip(TOLD, self._receivers, strict=True):
            getattr(session.signals, name).connect(receiver)

    def _receiver(self, name: str) -> Callable[..., None]:
        def receive(sender: Any, *, entity: Any, origin: str, **about: Any) -> None:
            details: tuple[Any, ...] = ()
            if name == "changed":
                details = (about["fields"] and set(about["fields"]),)
            elif "relation" in about:
                details = (about["relation"], about["other"].id)
            self.events.append((name, sender.__name__, entity.id, *details, origin))

        return receive

    def take(self) -> list[tuple[Any, ...]]:
        """What was heard since the last time."""
        events, self.events[:] = list(self.events), []
        return events


class Requests:
    """Every request of a session as `METHOD path`."""

    def __init__(self, session: Session) -> None:
        self.made: list[str] = []
        session.signals.requested.connect(self._note)

    def _note(self, _: Any, *, method: str, path: str, **about: Any) -> None:
        self.made.append(f"{method} {path}")

    def take(self) -> list[str]:
        """What was requested since the last time."""
        made, self.made[:] = list(self.made), []
        return made


def wait_for(condition: Callable[[], Any], timeout: float = 5) -> None:
    """Wait until a condition holds; fails when it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come about in time"
        time.sleep(0.005)
