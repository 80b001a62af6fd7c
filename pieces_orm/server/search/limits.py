"""The work that one search may cause: how much it may ask for, and how long it may take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from ..json_values import levels
from ..request_errors import RequestError
from ..storage.reader import Reader
from ..workload import stop_if_left

T = TypeVar("T")

MAX_CHARS = 10_000
"""Characters of a query, or of a phrase of a filter."""
MAX_WORDS = 200
"""Words of a query, each of which is looked for in every asset; also tags that are searched for."""
MAX_WORD_CHARS = 500
"""Characters of a word, and of a query without words, such as `=>`."""
MAX_CONDITIONS = 100
"""Filters or engines of a search, those in groups and the names within filters counted."""
MAX_SECONDS = 10.0
"""Time to find; to write what was found into the answer is not counted."""

_INSTRUCTIONS_PER_CHECK = 20_000  # of SQLite's virtual machine: a few milliseconds


class SearchReader(Reader):
    """Reads for a search, which end when its time is over."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.connection)
        self._end = time.monotonic() + MAX_SECONDS

    @property
    def is_late(self) -> bool:
        """True when the time is over."""
        return time.monotonic() > self._end

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """Yield items that take time to look at.

        Raises:
            RequestError: 400, the time is over.
        """
        for item in items:
            stop_if_left()
            if self.is_late:
                raise _late()
            yield item


@contextmanager
def limited(reader: Reader) -> Iterator[SearchReader]:
    """Find within a limited time; what the database does is interrupted.

    Raises:
        RequestError: 400, it takes longer.
    """
    searching = SearchReader(reader)
    database: Any = reader.connection.connection.driver_connection
    database.set_progress_handler(lambda: searching.is_late, _INSTRUCTIONS_PER_CHECK)
    try:
        yield searching
    except OperationalError as error:
        if searching.is_late:
            raise _late() from error
        raise
    finally:
        database.set_progress_handler(None, 0)


def _late() -> RequestError:
    sentence = f"The search was stopped after {MAX_SECONDS:g} seconds: ask for less, or within fewer materials."
    return RequestError(400, sentence)


def check_text(text: str, where: str = "A query") -> str:
    """Return a text to look for.

    Raises:
        RequestError: 400, it is too long.
    """
    if len(text) > MAX_CHARS:
        raise RequestError(400, f"{where} has at most {MAX_CHARS:,} characters, not {len(text):,}.")
    return text


def check_words(words: list[str]) -> list[str]:
    """Return words to look for.

    Raises:
        RequestError: 400, they are too many, or one is too long.
    """
    if len(words) > MAX_WORDS:
        raise RequestError(400, f"A query has at most {MAX_WORDS} words, not {len(words):,}.")
    longest = max(map(len, words), default=0)
    if longest > MAX_WORD_CHARS:
        raise RequestError(400, f"A word of a query has at most {MAX_WORD_CHARS} characters, not {longest:,}.")
    return words


def check_conditions(value: Any, name: str) -> None:
    """Refuse filters or engines that are too many.

    Raises:
        RequestError: 400.
    """
    found = sum(len(part) for level in levels([value]) for part in level if isinstance(part, list)) - 1
    if found > MAX_CONDITIONS:
        sentence = f"A search has at most {MAX_CONDITIONS} {name}s, names within them counted, not {found:,}."
        raise RequestError(400, sentence)
