"""Documents that were just read, until anything is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

_ENTRIES = 512
_LONGEST = 256 * 1024  # characters; longer documents are rare, and cheap beside sending them


class Memory:
    """Remembers answers to reads; every commit forgets them all, as a document shows its neighbours too."""

    def __init__(self) -> None:
        self._texts: dict[Hashable, str] = {}
        self._commits = 0
        self._lock = threading.Lock()

    def forget(self) -> None:
        """A commit happened."""
        with self._lock:
            self._commits += 1
            self._texts.clear()

    def get(self, key: Hashable, read: Callable[[], str | None]) -> str | None:
        """The remembered text, or what `read` says."""
        known = self._texts.get(key)
        if known is not None:
            return known
        commits = self._commits
        text = read()
        if text is not None and len(text) <= _LONGEST:
            with self._lock:
                # What was read before a commit may not be remembered after it.
                if commits == self._commits and len(self._texts) < _ENTRIES:
                    self._texts[key] = text
        return text
