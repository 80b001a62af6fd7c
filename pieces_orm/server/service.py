"""The state of one running server, which every handler works with."""

from __future__ import annotations

from attrs import Factory, field, frozen

from .domain.change_hub import ChangeHub
from .domain.document_cache import DocumentCache
from .domain.documents import Documents
from .settings import Settings
from .storage.reader import Reader
from .storage.store import Store
from .workload import Workload


@frozen
class Service:
    """The store, the hub of the streams, the settings, the work under way and the cache of one running server."""

    store: Store
    hub: ChangeHub
    settings: Settings
    workload: Workload = field(default=Factory(lambda self: Workload.within(self.settings), takes_self=True))
    cache: DocumentCache = field(factory=DocumentCache)

    def documents(self, reader: Reader, *, contents: bool = True, created: bool = False) -> Documents:
        """Make a builder of documents on one read."""
        return Documents(reader, self.settings, contents=contents, created=created)
