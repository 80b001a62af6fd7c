"""What the command line refuses, in one sentence for the person at the terminal."""

from __future__ import annotations

from ..errors import PiecesError


class ToolError(PiecesError):
    """A command cannot do what it was asked; the message says why and what to do."""


class StoppedError(ToolError):
    """Somebody pressed Ctrl-C, or the system asked the program to end."""
