"""A cache of the documents that were read since the last commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from . import ages

_MAX_DOCUMENTS = 512
_MAX_DOCUMENT_CHARS = 256 * 1024  # longer documents are rare, and building one is cheap beside sending it


class DocumentCache:
    """Caches answers to reads.

    Every commit clears it, as a document shows its neighbours too, and so does every minute, as it tells ages in words.
    """

    def __init__(self) -> None:
        self._texts: dict[Hashable, str] = {}
        self._commits = 0
        self._minute = ages.this_minute()
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget all documents."""
        with self._lock:
            self._commits += 1
            self._texts.clear()

    def get(self, key: Hashable, read: Callable[[], str | None]) -> str | None:
        """Return the cached text, or else what `read` returns."""
        if self._minute != (minute := ages.this_minute()):
            self._minute = minute
            self.clear()
        cached = self._texts.get(key)
        if cached is not None:
            return cached
        commits = self._commits
        text = read()
        if text is not None and len(text) <= _MAX_DOCUMENT_CHARS:
            with self._lock:
                # A document read before a commit must not be cached after it.
                if commits == self._commits and len(self._texts) < _MAX_DOCUMENTS:
                    self._texts[key] = text
        return text
