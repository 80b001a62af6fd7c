"""Checks of the options that a session is opened with; they need no server."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidValueError
from ..values.checking import is_header_value, is_sendable
from .http import POOL_SIZE, limits

# Arguments that are sent in headers.
_IN_HEADERS = {"accept", "api_key", "token"}


def check_texts(**given: Any) -> None:
    """Refuse arguments that are no texts, or that cannot be sent where they go."""
    for name, value in given.items():
        if not isinstance(value, str) or not is_sendable(value):
            message = f"{name} takes a text, not {value!r}."
            raise InvalidValueError(message)
        if name in _IN_HEADERS and not is_header_value(value):
            message = f"{name} is sent in a header: pass a text of Latin-1 without control characters."
            raise InvalidValueError(message)


def check_options(timeout: Any, wait: Any, concurrency: Any, dispatch: Any, max_answer: Any) -> None:
    """Refuse arguments that a session cannot be opened with, before a server is looked for."""
    limits(timeout)
    check_concurrency(concurrency)
    if not isinstance(wait, int | float) or isinstance(wait, bool) or not wait >= 0:
        message = f"wait takes seconds, 0 or more, not {wait!r}."
        raise InvalidValueError(message)
    if not isinstance(max_answer, int) or isinstance(max_answer, bool) or max_answer < 1:
        message = f"max_answer takes a number of bytes, 1 or more, not {max_answer!r}."
        raise InvalidValueError(message)
    check_dispatch(dispatch)


def check_concurrency(concurrency: Any) -> None:
    """Refuse what is no number of requests that may be under way at a time."""
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or not 1 <= concurrency <= POOL_SIZE:
        message = f"concurrency is a number of requests from 1 to {POOL_SIZE}, not {concurrency!r}."
        raise InvalidValueError(message)


def check_dispatch(dispatch: Any) -> None:
    """Refuse what cannot be called with deliveries of signals."""
    if dispatch is not None and not callable(dispatch):
        message = f"dispatch takes a function that is called with each delivery, not {dispatch!r}."
        raise InvalidValueError(message)
