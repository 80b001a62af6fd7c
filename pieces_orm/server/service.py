"""What every handler works with: the store, the streams' hub, and the choices of this server."""

from __future__ import annotations

from attrs import field, frozen

from .domain.change_hub import Hub
from .domain.document_cache import Memory
from .domain.documents import Documents
from .settings import Settings
from .storage.reader import Reader
from .storage.store import Store


@frozen
class Service:
    """One running server's state."""

    store: Store
    hub: Hub
    settings: Settings
    memory: Memory = field(factory=Memory)

    def documents(self, reader: Reader, *, contents: bool = True, created: bool = False) -> Documents:
        """A builder of documents on one read."""
        return Documents(reader, self.settings, contents=contents, created=created)
