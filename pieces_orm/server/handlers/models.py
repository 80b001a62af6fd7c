"""The models that messages and summaries can name; nothing here runs one.

Programs look for models by `unique` or by name, and some do not start without the one they look for.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..domain import ages
from ..http.requests import Request
from ..json_values import json_text
from ..request_errors import RequestError

# unique, name, foundation, provider. Ids are derived from names, so a name that was released stays.
_MODELS = (
    ("gpt-3.5-turbo", "GPT-3.5-turbo Chat Model", "GPT_3.5", "OPENAI"),
    ("gpt-4o", "GPT-4o Chat Model", "GPT_LATEST", "OPENAI"),
    ("claude-3-5-sonnet-20241022", "Claude Sonnet Chat Model", "CLAUDE_LATEST", "ANTHROPIC"),
    ("gemini-1.5-flash", "Gemini Flash Chat Model", "GEMINI_LATEST", "GOOGLE"),
    ("gpt-4", "GPT-4 Chat Model", "GPT_4", "OPENAI"),
    ("gpt-4-turbo", "GPT-4 Turbo Chat Model", "GPT_4", "OPENAI"),
    ("gpt-4o-mini", "GPT-4o Mini Chat Model", "GPT_LATEST", "OPENAI"),
    ("gpt-4.1-2025-04-14", "GPT-4.1 Chat Model", "GPT_LATEST", "OPENAI"),
    ("o1-2024-12-17", "o1 Chat Model", "GPT_LATEST", "OPENAI"),
    ("o3-2025-04-16", "o3 Chat Model", "GPT_LATEST", "OPENAI"),
    ("o3-mini-2025-01-31", "o3 Mini Chat Model", "GPT_LATEST", "OPENAI"),
    ("o4-mini-2025-04-16", "o4 Mini Chat Model", "GPT_LATEST", "OPENAI"),
    ("claude-3-haiku-20240307", "Claude 3 Haiku Chat Model", "CLAUDE_3", "ANTHROPIC"),
    ("claude-3-opus-20240229", "Claude 3 Opus Chat Model", "CLAUDE_3", "ANTHROPIC"),
    ("claude-3-5-haiku-20241022", "Claude 3.5 Haiku Chat Model", "CLAUDE_3.5", "ANTHROPIC"),
    ("claude-3-7-sonnet-20250219", "Claude 3.7 Sonnet Chat Model", "CLAUDE_LATEST", "ANTHROPIC"),
    ("claude-sonnet-4-20250514", "Claude 4 Sonnet Chat Model", "CLAUDE_LATEST", "ANTHROPIC"),
    ("claude-opus-4-20250514", "Claude 4 Opus Chat Model", "CLAUDE_LATEST", "ANTHROPIC"),
    ("gemini-1.5-pro", "Gemini 1.5 Pro Chat Model", "GEMINI_1.5", "GOOGLE"),
    ("gemini-2.0-flash", "Gemini 2.0 Flash Chat Model", "GEMINI_LATEST", "GOOGLE"),
    ("gemini-2.0-flash-lite-001", "Gemini 2.0 Flash Lite Chat Model", "GEMINI_LATEST", "GOOGLE"),
    ("gemini-2.5-flash-preview-04-17", "Gemini 2.5 Flash Chat Model", "GEMINI_LATEST", "GOOGLE"),
    ("gemini-2.5-pro-preview-03-25", "Gemini 2.5 Pro Chat Model", "GEMINI_LATEST", "GOOGLE"),
    ("chat-bison", "PaLM 2 Chat Model", "CHAT_BISON", "GOOGLE"),
    ("codechat-bison", "Codey Chat Model", "CODECHAT_BISON", "GOOGLE"),
)
_CREATED = "2024-01-01T00:00:00.000000Z"


def all_models() -> list[dict[str, Any]]:
    """Build the documents of all models."""
    created = ages.with_age(_CREATED, ages.this_minute())
    return [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"pieces_orm/models/{name}")),
            "unique": unique,
            "name": name,
            "version": "1.0.0",
            "created": created,
            "cloud": True,
            "downloaded": False,
            "type": "BALANCED",
            "usage": "CODE_CONVERSATION",
            "foundation": foundation,
            "provider": provider,
        }
        for unique, name, foundation, provider in _MODELS
    ]


def models(_request: Request) -> str:
    """Answer all models."""
    return json_text({"iterable": all_models()})


def model(request: Request) -> str:
    """Answer one model."""
    id = request.params["model"]
    for each in all_models():
        if each["id"] == id:
            return json_text(each)
    raise RequestError(410, f"There is no model {id}.")
