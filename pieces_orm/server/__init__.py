"""The embedded server: Pieces data without Pieces OS, durable in one SQLite file."""

from __future__ import annotations

from .answers import ChatModel, Material, Message, ModelError, Question
from .lifecycle import Server
from .settings import Settings

__all__ = ["ChatModel", "Material", "Message", "ModelError", "Question", "Server", "Settings"]
