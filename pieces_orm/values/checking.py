"""Checks of what programs pass: each value as it is kept and sent, or an error that names what is accepted."""

from __future__ import annotations

from datetime import datetime, timezone

from ..errors import InvalidValueError


def plain_text(name: str, text: str) -> str:
    """Return a text as a plain str: a subclass loses its class, a member of an enum of texts is its value.

    Raises:
        InvalidValueError: it has half of a surrogate pair, which UTF-8 cannot say.
    """
    plain = text if type(text) is str else str.__str__(text)
    if not is_sendable(plain):
        message = f"{name} has half of a surrogate pair in it, which cannot be sent: {plain[:80]!r}."
        raise InvalidValueError(message)
    return plain


def is_sendable(text: str) -> bool:
    """Tell whether UTF-8 can say a text."""
    try:
        # Most texts are ASCII, and know it.
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def is_header_value(text: str) -> bool:
    """Tell whether a text can be the value of an HTTP header."""
    return all(" " <= char <= "\xff" and char != "\x7f" for char in text)


def to_utc(name: str, moment: datetime) -> datetime:
    """Return a datetime in UTC; a naive one is local time.

    Raises:
        InvalidValueError: it cannot be converted, because it is too close to the years 1 or 9999, or its zone is odd.
    """
    try:
        there = moment.astimezone(timezone.utc)
        return datetime.combine(there.date(), there.time(), timezone.utc)
    except (ValueError, OverflowError, OSError, TypeError) as error:
        message = (
            f"{name} cannot be converted to UTC ({error}): pass a datetime with a zone, well inside years 1 to 9999."
        )
        raise InvalidValueError(message) from error
