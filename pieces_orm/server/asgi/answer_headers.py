"""The headers that every answer carries, so that browsers keep answers from pages and from their caches."""

from __future__ import annotations

ANSWER_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
