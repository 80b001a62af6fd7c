"""Ctrl-C and SIGTERM, acted on between two steps, so that no request is cut in half."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

from .errors import StoppedError

POLL_S = 0.05


class Interrupts:
    """A context that holds SIGINT and SIGTERM back until the program asks; a second one interrupts at once."""

    def __init__(self) -> None:
        # Not an Event: the handler may run while this thread holds the Event's lock, and would deadlock.
        self._requested = False
        self._previous: dict[signal.Signals, Any] = {}

    def wait(self) -> None:
        """Wait for a signal."""
        while not self._requested:
            time.sleep(POLL_S)

    def check(self) -> None:
        """Raise StoppedError if a signal has arrived."""
        if self._requested:
            raise StoppedError("Stopped.")

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        if self._requested:
            raise KeyboardInterrupt
        self._requested = True

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
