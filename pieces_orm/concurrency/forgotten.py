"""Close what a program no longer holds, on a thread of its own: a finalizer must neither wait nor take a lock."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue

from .forking import fork_safe

_log = logging.getLogger("pieces_orm.concurrency.forgotten")


class _Closer(threading.Thread):
    """A daemon thread that closes what is forgotten."""

    def __init__(self) -> None:
        super().__init__(name="pieces_orm closer", daemon=True)
        self.forgotten: SimpleQueue[Callable[[], None]] = SimpleQueue()  # its put() may be called by a finalizer

    def run(self) -> None:
        """Call what is put into the queue."""
        while True:
            try:
                self.forgotten.get()()
            except Exception:  # noqa: BLE001 the others are closed all the same
                _log.exception("Closing something that was forgotten failed.")


_lock = fork_safe(threading.Lock())
_closer: _Closer | None = None


def close_when_forgotten(holder: object, close: Callable[[], None]) -> None:
    """Call a function, soon and on another thread, once nobody holds an object; not when the program ends.

    Args:
        holder: the object; the function must not refer to it.
        close: the function.
    """
    global _closer  # noqa: PLW0603 one thread for the process
    with _lock:
        if _closer is None or not _closer.is_alive():  # a forked child has none
            _closer = _Closer()
            _closer.start()
        weakref.finalize(holder, _closer.forgotten.put, close).atexit = False
