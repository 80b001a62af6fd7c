"""The request of a search of assets: its arguments, checked, and its body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .. import filters
from ..documents import decoding
from ..errors import InvalidValueError
from ..values.checking import plain_text
from ..wire import routes
from ..wire.kinds import Route
from .arguments import listed, listed_texts

if TYPE_CHECKING:
    from ..filters import Filter

ENGINES: Mapping[str, Route] = MappingProxyType({"full_text": routes.SEARCH_FULL_TEXT, "neural": routes.SEARCH_NEURAL})
"""The routes of engines that take a query alone."""


def checked_search(query: Any, tags: Any, given: Any) -> tuple[str | None, list[str], list[Filter]]:
    """Return the query, the tags and the filters of a search.

    Raises:
        InvalidValueError: one of them cannot be used, or all are empty.
    """
    if not isinstance(query, str | None):
        message = f"query takes words, not {query!r}."
        raise InvalidValueError(message)
    words = None if query is None else plain_text("query", query)
    found = listed_texts("tags", tags), listed("filters", given, " of values of pieces_orm.filters")
    for each in found[1]:
        if not isinstance(each, filters.Filter):
            message = f"filters takes values of pieces_orm.filters, such as filters.tags('moon'), not {each!r}."
            raise InvalidValueError(message)
    if not ((words or "").strip() or any(found)):
        message = "A search needs a query, tags or filters."
        raise InvalidValueError(message)
    return words, *found


def check_engine(engine: Any, *, query_alone: bool) -> None:
    """Raise when there is no such engine, or when it cannot do such a search.

    Raises:
        InvalidValueError: so it is.
    """
    if not isinstance(engine, str) or engine not in ("fuzzy", *ENGINES):
        message = f"engine takes 'fuzzy', 'full_text' or 'neural', not {engine!r}."
        raise InvalidValueError(message)
    if engine in ENGINES and not query_alone:
        message = (
            f"The engine {engine!r} takes a query and nothing else: leave out tags, filters, within and "
            "case_sensitive, or use engine='fuzzy'."
        )
        raise InvalidValueError(message)


def filter_body(
    query: str | None, tags: Sequence[str], given: Sequence[Filter], ids: list[str] | None, *, case_sensitive: bool
) -> bytes:
    """Return the body of a search with filters; the wire does misspell `identifers`."""
    every = [*given, *([filters.tags(*tags)] if tags else [])]
    body = {
        "query": query,
        "filters": {"iterable": [decoding.plain(each.wire) for each in every]} if every else None,
        "casing": True if case_sensitive else None,
        "space": None if ids is None else {"identifers": {"iterable": [{"id": id} for id in ids]}},
    }
    return decoding.encode_given(body)
