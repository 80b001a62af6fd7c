"""The embedded server: Pieces data without Pieces OS, durable in one SQLite file."""

from __future__ import annotations

from .lifecycle import Server
from .settings import Settings

__all__ = ["Server", "Settings"]
