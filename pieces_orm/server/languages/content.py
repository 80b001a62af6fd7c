"""The language of a text by its content: magika's model, corrected by signs where it is unsure."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from ...values.languages import find_language

if TYPE_CHECKING:
    from magika import Magika

# Interpreters whose name is not that of their language.
_INTERPRETERS = {"node": "js", "deno": "ts", "Rscript": "r", "bash": "sh"}
# The model's labels that `find_language` knows under another name, or as another language.
_LABELS = {"hcl": "tf", "jsonl": "json", "markdown": "md", "prolog": "hljs-prolog"}
CERTAIN_SCORE = 0.9
"""The model's score, from 0 to 1, below which a sign is right more often than the model."""

# Signs are sought in a text's beginning; long lines are data.
_MAX_CHARS, _MAX_LINE_CHARS = 4_000, 160
_loading = Lock()


def from_content(text: str) -> str | None:
    """Detect the language of a text, None when nothing tells it with enough confidence."""
    text = text.strip("\ufeff \t\r\n")
    if not text:
        return None
    interpreter = _interpreter(text[:_MAX_LINE_CHARS])
    if interpreter:
        return _INTERPRETERS.get(interpreter) or find_language(interpreter) or "sh"
    if text[0] in "{[" and _is_json(text):
        return "json"
    guess, score = ask_model(text)
    if guess and score >= CERTAIN_SCORE:
        return guess
    return find_sign(text) or guess


def _interpreter(text: str) -> str:
    """Return the interpreter, without its version, that a first line such as `#!/usr/bin/env python3` names."""
    line = text.partition("\n")[0]
    words = line[2:].split() if line.startswith("#!") else []
    if not words or "/" not in words[0]:
        return ""
    named = next((word for word in words if word != "-S" and not word.endswith("/env")), "")
    return named.rpartition("/")[2].rstrip(".0123456789")


def find_sign(text: str) -> str | None:
    """Find the language of which the beginning of a text bears a sign."""
    excerpt = beginning(text)
    return next((language for language, sign in signs() if has_sign(sign, excerpt)), None)


def has_sign(sign: Any, excerpt: str) -> bool:
    """Tell whether a text bears a sign, whose groups, as the two names of an element, have to be the same."""
    found = sign.search(excerpt)
    return found is not None and len(set(found.groups())) <= 1


def beginning(text: str) -> str:
    """Cut a text down to where signs are sought."""
    return "\n".join(line[:_MAX_LINE_CHARS] for line in text[:_MAX_CHARS].splitlines())


@cache
def signs() -> tuple[tuple[str, Any], ...]:
    """Read the signs, each a compiled pattern, and the languages that they tell, the most telling first."""
    # RE2 takes time that grows with the text alone, whatever the pattern and the text: it never backtracks.
    import re2  # type: ignore[import-untyped]  # noqa: PLC0415  most texts are told by other means

    lines = Path(__file__).with_name("signs.txt").read_text("ascii").splitlines()
    pairs = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return tuple((language, re2.compile(f"(?m){pattern}")) for language, pattern in pairs)


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
    return _LABELS.get(label) or find_language(label), found.score


def _model() -> Magika:
    """Return the model, which the first text that needs it loads; other threads that need it wait."""
    with _loading:
        return _load_model()


@cache
def _load_model() -> Magika:
    # A fifth of a second and 50 MB that most servers never need.
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415
    from magika import Magika  # noqa: PLC0415

    class Model(Magika):
        def _init_onnx_session(self) -> Any:
            options = onnxruntime.SessionOptions()
            # Threads that spin until there is more to do would take a processor from everybody else.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            onnxruntime.disable_telemetry_events()
            return onnxruntime.InferenceSession(self._model_path, options, providers=["CPUExecutionProvider"])

    return Model()
