"""The language of a text by its content: magika's model, corrected by signs where it is unsure."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from .names import find_language

if TYPE_CHECKING:
    from magika import Magika

# Interpreters whose name is not that of their language.
_INTERPRETERS = {"node": "js", "deno": "ts", "Rscript": "r", "bash": "sh"}
# The model's labels that `find_language` knows under another name, or as another language.
_LABELS = {"hcl": "tf", "jsonl": "json", "markdown": "md", "prolog": "hljs-prolog"}
CERTAIN_SCORE = 0.9
"""The model's score, from 0 to 1, below which a sign is right more often than the model."""

# Signs are sought in a text's beginning; long lines are data and would make the search slow.
_MAX_CHARS, _MAX_LINE_CHARS = 4_000, 160
_SHEBANG = re.compile(r"#!.*?(?:/env\s+(?:-S\s+)?|/)([\w.+-]+)(?:\s|$)")
_loading = Lock()


def from_content(text: str) -> str | None:
    """Detect the language of a text, None when nothing tells it with enough confidence."""
    text = text.strip("\ufeff \t\r\n")
    if not text:
        return None
    shebang = _SHEBANG.match(text[:_MAX_LINE_CHARS])
    if shebang:
        interpreter = shebang[1].rstrip(".0123456789")
        return _INTERPRETERS.get(interpreter) or find_language(interpreter) or "sh"
    if text[0] in "{[" and _is_json(text):
        return "json"
    guess, score = ask_model(text)
    if guess and score >= CERTAIN_SCORE:
        return guess
    return find_sign(text) or guess


def find_sign(text: str) -> str | None:
    """Find the language of which the beginning of a text bears a sign."""
    excerpt = beginning(text)
    return next((language for language, sign in signs() if sign.search(excerpt)), None)


def beginning(text: str) -> str:
    """Cut a text down to where signs are sought."""
    return "\n".join(line[:_MAX_LINE_CHARS] for line in text[:_MAX_CHARS].splitlines())


@cache
def signs() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Read the signs and the languages that they tell, the most telling first."""
    lines = Path(__file__).with_name("signs.txt").read_text("ascii").splitlines()
    pairs = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return tuple((language, re.compile(pattern, re.MULTILINE)) for language, pattern in pairs)


def _is_json(text: str) -> bool:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return bool(value) and (isinstance(value, dict) or any(isinstance(one, (dict, list)) for one in value))


def ask_model(text: str) -> tuple[str | None, float]:
    """Ask the model for a language, None below its own confidence, and its score from 0 to 1."""
    found = _model().identify_bytes(text.encode("utf-8", "replace")).prediction
    label = str(found.output.label)
    if label == "txt" or not found.output.is_text:
        return None, found.score
    return _LABELS.get(label) or find_language(label) or find_language(f"hljs-{label}"), found.score


def _model() -> Magika:
    """Return the model, which the first text that needs it loads; other threads that need it wait."""
    with _loading:
        return _load_model()


@cache
def _load_model() -> Magika:
    from magika import Magika  # noqa: PLC0415  a fifth of a second and 50 MB that most servers never need

    return Magika()
