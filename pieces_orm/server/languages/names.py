"""Names of languages: those of the wire, those that people use, and what a file's name tells."""

from __future__ import annotations

from pathlib import PurePosixPath

from ...values.languages import find_language, known_languages, language_by_suffix
from ..request_errors import RequestError

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


def from_filename(filename: str) -> str | None:
    """Look up the language of a file by its name or extension, None when they tell nothing."""
    path = PurePosixPath(filename.strip().replace("\\", "/"))
    suffix = path.suffix.removeprefix(".")
    # A name in words is a title, of which only the suffix tells something, as in `made by me.py`.
    for candidate in (path.name, suffix, suffix.lower()):
        if candidate in known_languages() and (candidate != path.name or "." in filename or candidate[0].isupper()):
            return candidate
    return language_by_suffix().get(suffix.lower())
