"""The state of one running server, which every handler works with."""

from __future__ import annotations

import threading

from attrs import field, frozen

from .domain.change_hub import ChangeHub
from .domain.document_cache import DocumentCache
from .domain.documents import Documents
from .settings import Settings
from .storage.reader import Reader
from .storage.store import Store

# Questions that are answered at once; each takes a thread until its model is done.
MAX_ANSWERS = 8


@frozen
class Service:
    """The store, the hub of the streams, the settings and the cache of one running server.

    `answering` has a place for each question that may be answered at once.
    """

    store: Store
    hub: ChangeHub
    settings: Settings
    cache: DocumentCache = field(factory=DocumentCache)
    answering: threading.Semaphore = field(factory=lambda: threading.Semaphore(MAX_ANSWERS))

    def documents(self, reader: Reader, *, contents: bool = True, created: bool = False) -> Documents:
        """Make a builder of documents on one read."""
        return Documents(reader, self.settings, contents=contents, created=created)
