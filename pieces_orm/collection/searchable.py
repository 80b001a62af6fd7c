"""Collections with a search by words; that of assets is richer."""

from __future__ import annotations

from typing import Generic, ParamSpec, TypeVar

from attrs import frozen

from ..documents import decoding
from ..errors import InvalidValueError
from ..orm import reading
from ..orm.entity import Entity
from ..values.checking import plain_text
from .base import Collection

E = TypeVar("E", bound=Entity)
P = ParamSpec("P")
C = ParamSpec("C")


@frozen
class Found(Generic[E]):
    """A search result: the entity, its similarity to the query (1: the same words), and whether it matches exactly."""

    entity: E
    similarity: float
    exact: bool


class SearchableCollection(Collection[E, P, C]):
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
        query = plain_text("query", query)
        route = self._kind.route("search")
        flags = reading.contents_query(route, transferables)
        body = decoding.encode({"engines": {"iterable": [{"query": query}]}})
        from . import search_results  # noqa: PLC0415 a program that searches nothing does without it

        with self._context.history.request() as number:
            data = self._context.connection.call(route, query=flags, body=body, repeatable=True)
            found = search_results.matches(data, self._kind.name)
            pairs = search_results.entities_of(
                self._context, self._class, found, number, contents=transferables is not False
            )
        results = [Found(entity, match.similarity, match.exact) for match, entity in pairs]
        return sorted(results, key=lambda each: (not each.exact, -each.similarity))
