"""Checks of what programs pass: each value as it is kept and sent, or an error that names what is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from urllib.parse import urlsplit

from ..errors import InvalidValueError
from .enums import OpenEnum
from .languages import Language, find_language, language_by_name


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


def named(cls: type[OpenEnum | Language], name: str, text: str) -> str:
    """Return the member of an open enum, or the wire's name of the language, that a text names.

    Members of the class itself are taken as they are: that is how a program passes one that this version does not know.

    Args:
        cls: a subclass of OpenEnum, or Language.
        name: of the argument or field, for the error.
        text: what the program passed.

    Raises:
        InvalidValueError: nothing known is named like this, or it cannot be sent.
    """
    plain = plain_text(name, text)
    if issubclass(cls, Language):
        found = text if isinstance(text, Language) and plain else find_language(plain)
        wanted, known = "a language or file type, such as py, Python or .py", language_by_name().keys()
    else:
        members = {member.value: member for member in cls}
        found = text if isinstance(text, cls) and plain else members.get(plain)
        wanted, known = f"{cls.__name__} ({', '.join(members)})", members.keys()
    if found is not None:
        return found
    message = (
        f"{name} takes {wanted}, not {text!r}{did_you_mean(plain, known)}. "
        f"To send one that this version does not know, pass pieces_orm.values.{cls.__name__}({plain!r})."
    )
    raise InvalidValueError(message)


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return a question about the known names that are most like a text; nothing where none is."""
    import difflib  # noqa: PLC0415 only for an error

    by_key = {each.casefold(): each for each in known}
    found = [by_key[key] for key in difflib.get_close_matches(text.casefold(), by_key, n=3)]
    return f" (did you mean {' or '.join(map(repr, found))}?)" if found else ""


def nonempty_text(name: str, text: str) -> str:
    """Return a text by which people know a material, such as that of a tag.

    Raises:
        InvalidValueError: nobody could see it, or it cannot be sent.
    """
    plain = plain_text(name, text)
    if not plain.strip():
        message = f"{name} takes a text that is not empty, not {text!r}."
        raise InvalidValueError(message)
    return plain


def page_address(name: str, url: str) -> str:
    """Return the address of a page, which has a scheme.

    Raises:
        InvalidValueError: it is no address of a page, or it cannot be sent.
    """
    plain = plain_text(name, url)
    if not _is_address(plain):
        bare = plain.strip().lstrip("/")
        remedied = f"https://{bare}"
        hint = f" (did you mean {remedied!r}?)" if _HOST.match(bare) and _is_address(remedied) else ""
        message = f"{name} takes an address with its scheme and without spaces, not {url!r}{hint}."
        raise InvalidValueError(message)
    return plain


def _is_address(text: str) -> bool:
    if not _ABSOLUTE.fullmatch(text) or _HOST.match(text):
        return False
    try:
        parts = urlsplit(text)
        # The port is read only when it is asked for.
        return parts.port is not None or bool(parts.hostname) or parts.scheme not in _WITH_HOST
    except ValueError:
        return False


# A host, with its port if it has one, where an address lacks its scheme.
_HOST = re.compile(r"^(?:localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(?=[/?#]|$)")
_ABSOLUTE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f]+")
_WITH_HOST = frozenset({"http", "https", "ftp", "ws", "wss"})


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
