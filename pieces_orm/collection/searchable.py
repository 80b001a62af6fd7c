"""Collections with a search by words; that of assets is richer."""

from __future__ import annotations

from typing import Generic, ParamSpec, TypeVar

import msgspec
from attrs import frozen

from ..documents import answers, decoding
from ..documents.document import BROKEN, malformed
from ..errors import InvalidValueError
from ..orm import applying, loading, reading
from ..orm.entity import Entity
from .base import Collection

E = TypeVar("E", bound=Entity)
P = ParamSpec("P")


@frozen
class Found(Generic[E]):
    """A search result: the entity, its similarity to the query (1: the same words), and whether it matches exactly."""

    entity: E
    similarity: float
    exact: bool


class SearchableCollection(Collection[E, P]):
    """Everything that one can ask of a kind that the wire can search."""

    def search(self, query: str, *, transferables: bool | None = None) -> list[Found[E]]:
        """Find materials by words, best first; an empty list when nothing is found.

        Requests: one POST to the search route; those of `get_many` for what the answer names without its document.

        Args:
            query: words to look for.
            transferables: whether contents come with what is found; None leaves it to the server.

        Raises:
            InvalidValueError: the query is empty. Nothing was sent.
        """
        if not isinstance(query, str) or not query.strip():
            message = f"A search needs words, not {query!r}."
            raise InvalidValueError(message)
        route = self._kind.route("search")
        flags = reading.contents_query(route, transferables)
        body = decoding.encode({"engines": {"iterable": [{"query": query}]}})
        with self._context.history.request() as number:
            data = self._context.connection.call(route, query=flags, body=body, repeatable=True)
            hits = self._hits(data)
            # Held here: the map alone would let them go before they are handed over.
            held = [self._entity(hit, number, contents=transferables is not False) for hit in hits]
        loaded = {id(entity) for entity in loading.load_missing(self._context, held)}
        found = [
            Found(entity, hit.similarity, hit.exact)
            for hit, entity in zip(hits, held, strict=True)
            if id(entity) in loaded
        ]
        return sorted(found, key=lambda each: (not each.exact, -each.similarity))

    def _hits(self, data: bytes) -> list[_Hit]:
        try:
            return [_hit(each) for each in msgspec.json.decode(data, type=_Results).iterable]
        except BROKEN as error:
            raise malformed(data, self._kind.name, "", error, "search") from error

    def _entity(self, hit: _Hit, number: int, *, contents: bool) -> E:
        """Return the entity of a hit, fresh where the answer has its document."""
        if hit.document is not None:
            _, document = answers.one(hit.document, self._kind.name, hit.identifier, contents=contents)
            adopted = applying.adopt(self._context, self._class, hit.identifier, document, number, "refresh")
            if adopted is not None:
                return adopted
        return self.ref(hit.identifier)


class _Results(msgspec.Struct):
    iterable: list[dict[str, msgspec.Raw]] = []


class _Head(msgspec.Struct):
    id: str = ""


class _Hit(msgspec.Struct):
    identifier: str
    similarity: float = 0.0
    exact: bool = False
    document: bytes | None = None


def _hit(item: dict[str, msgspec.Raw]) -> _Hit:
    """Decode a hit; its document is under a key that differs by kind, and has the id of the hit."""
    hit = msgspec.convert({name: msgspec.json.decode(item[name]) for name in _PLAIN & item.keys()}, _Hit)
    objects = (bytes(raw) for raw in item.values() if bytes(raw).startswith(b"{"))
    hit.document = next((raw for raw in objects if msgspec.json.decode(raw, type=_Head).id == hit.identifier), None)
    return hit


_PLAIN = {"identifier", "similarity", "exact"}
