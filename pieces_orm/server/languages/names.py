"""Names of languages: those of the wire, those that people use, and what a file's name tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from pygments.lexers import get_all_lexers

from ..request_errors import RequestError

KNOWN = frozenset(Path(__file__).with_name("extensions.txt").read_text("ascii").split())
"""The members of ClassificationSpecificEnum: the wire names a language by a file extension."""

_IMAGES = {"png", "jpg", "jpeg", "jpe", "gif", "bmp", "webp", "tif", "tiff", "ico"}
_PLAIN_TEXTS = {"txt", "text", "log", "csv", "list", "hljs-plaintext"}
_TEXTS = _PLAIN_TEXTS | {"md", "mdown", "mdwn", "markdown", "markdn", "rtf", "rtx"}


def classification(language: str) -> dict[str, str]:
    """Build the wire's classification of a language."""
    generic = "IMAGE" if is_image(language) else "TEXT" if language in _TEXTS else "CODE"
    return {"generic": generic, "specific": language}


def is_image(language: str) -> bool:
    """Tell whether an extension belongs to a kind of image."""
    return language in _IMAGES


def check_text(language: str) -> None:
    """Refuse an image's extension as the language of a text.

    Raises:
        RequestError: 400.
    """
    if is_image(language):
        raise RequestError(
            400, f"Invalid language '{language}' of a text: it is a kind of image; give a language or txt."
        )


def canonical_name(name: str) -> str:
    """Turn a language's name, the wire's own or a common one such as Python, into the wire's.

    Raises:
        RequestError: 400, the name is unknown.
    """
    found = find_language(name)
    if found is None:
        sentence = f"Unknown language '{name}': give a file extension such as py, or a common name such as Python."
        raise RequestError(400, sentence)
    return found


def find_language(name: str) -> str | None:
    """Look up the wire's name of a language, None for an unknown one."""
    return name if name in KNOWN else _by_common_name().get(name.lower())


def from_filename(filename: str) -> str | None:
    """Look up the language of a file by its name or extension, None when they tell nothing."""
    path = PurePosixPath(filename.strip().replace("\\", "/"))
    suffix = path.suffix.removeprefix(".")
    # A name in words is a title, of which only the suffix tells something, as in `made by me.py`.
    for candidate in (path.name, suffix, suffix.lower()):
        if candidate in KNOWN and (candidate != path.name or "." in filename or candidate[0].isupper()):
            return candidate
    return _by_unlisted_suffix().get(suffix.lower())


@cache
def _by_common_name() -> Mapping[str, str]:
    """Map common names of languages, in lower case, to the wire's."""
    found: dict[str, str] = {}
    for language, names, _ in _common_languages():
        for name in names:
            found.setdefault(name.lower(), language)
    return found


@cache
def _by_unlisted_suffix() -> Mapping[str, str]:
    """Map suffixes that the wire lacks to the one that it has for the same language."""
    found: dict[str, str] = {}
    for language, _, suffixes in _common_languages():
        for suffix in suffixes:
            if suffix not in KNOWN:
                found.setdefault(suffix.lower(), language)
    return found


def _common_languages() -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Yield the languages that Pygments and the wire share: the wire's name, common names, suffixes."""
    for name, aliases, patterns, _ in get_all_lexers():
        suffixes = [pattern[2:] for pattern in patterns if re.fullmatch(r"\*\.\w+", pattern)]
        language = next((suffix for suffix in suffixes if suffix in KNOWN), None)
        if language is not None:
            yield language, (name, *aliases), suffixes
