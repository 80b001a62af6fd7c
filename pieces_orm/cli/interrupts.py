"""Ctrl-C and SIGTERM as a wish that is heard between two steps, so that no request is cut in half."""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import Any

from .errors import StoppedError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """A context in which SIGINT and SIGTERM are kept until somebody looks; the second one interrupts at once."""

    def __init__(self) -> None:
        # Not an Event: the handler may run while this thread is inside the Event's lock, and would wait for itself.
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def wait(self) -> None:
        """Wait until somebody asks to stop."""
        while not self._asked:
            time.sleep(0.1)

    def check(self) -> None:
        """Raise StoppedError when somebody has asked to stop."""
        if self._asked:
            raise StoppedError("Stopped.")

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def __enter__(self) -> Stop:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
