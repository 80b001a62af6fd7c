"""The embedded server: Pieces data without Pieces OS, durable in one SQLite file."""

from __future__ import annotations

from .answers import Answers, ChatModel, Material, Message, ModelError, Question, Role
from .lifecycle import Server
from .settings import Settings

__all__ = ["Answers", "ChatModel", "Material", "Message", "ModelError", "Question", "Role", "Server", "Settings"]
