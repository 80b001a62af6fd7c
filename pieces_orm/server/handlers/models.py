"""The models that messages and summaries can name; nothing here runs one."""

from __future__ import annotations

import uuid
from typing import Any

from ..http.requests import Request
from ..json_values import json_text
from ..request_errors import RequestError

_MODELS = [
    {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"pieces_orm/models/{name}")),
        "name": name,
        "version": "1.0.0",
        "created": {"value": "2024-01-01T00:00:00.000000Z"},
        "cloud": True,
        "downloaded": False,
        "type": "BALANCED",
        "usage": "CODE_CONVERSATION",
        "foundation": foundation,
        "provider": provider,
    }
    for name, foundation, provider in (
        ("GPT-3.5-turbo Chat Model", "GPT_3.5", "OPENAI"),
        ("GPT-4o Chat Model", "GPT_LATEST", "OPENAI"),
        ("Claude Sonnet Chat Model", "CLAUDE_LATEST", "ANTHROPIC"),
        ("Gemini Flash Chat Model", "GEMINI_LATEST", "GOOGLE"),
    )
]


def all_models() -> list[dict[str, Any]]:
    """Return the documents of all models."""
    return _MODELS


def models(_request: Request) -> str:
    """Answer all models."""
    return json_text({"iterable": _MODELS})


def model(request: Request) -> str:
    """Answer one model."""
    id = request.params["model"]
    for each in _MODELS:
        if each["id"] == id:
            return json_text(each)
    raise RequestError(410, f"There is no model {id}.")
