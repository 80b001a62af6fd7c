"""Errors of the command line, and how they are printed."""

from __future__ import annotations

import sys

from ..errors import PiecesError, printable


class CommandError(PiecesError):
    """A command cannot do what it was asked to; the message says why and names the remedy."""


class StoppedError(CommandError):
    """The user pressed Ctrl-C, or the system asked the program to end."""


def report(message: str) -> None:
    """Print a message to standard error, on one line."""
    print(f"pieces-orm: {printable(' '.join(message.split()))}", file=sys.stderr, flush=True)  # noqa: T201
