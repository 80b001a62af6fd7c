"""The headers that every answer carries."""

from __future__ import annotations

from ...wire.extensions import EXTENSIONS, EXTENSIONS_HEADER

# Browsers keep answers from pages and from their caches.
_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
SERVED = EXTENSIONS
"""Extensions of the wire that this server has."""


def answer_headers(*, extensions: bool) -> tuple[tuple[str, str], ...]:
    """Return the headers of every answer, refusals included.

    Args:
        extensions: name the extensions of the wire that the server has.
    """
    return (*_ALWAYS, (EXTENSIONS_HEADER, ", ".join(SERVED))) if extensions else _ALWAYS
