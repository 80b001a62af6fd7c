"""Errors of the command line, and how they are printed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import PiecesError, printable


class CommandError(PiecesError):
    """A command cannot do what it was asked to; the message says why and names the remedy."""


class WrongUsageError(CommandError):
    """An option has a value that it does not take, or lacks another; the exit code is 2."""


class StoppedError(CommandError):
    """The user pressed Ctrl-C, or the system asked the program to end."""


def report(message: str) -> None:
    """Print a message to standard error, on one line."""
    print(f"pieces-orm: {printable(' '.join(message.split()))}", file=sys.stderr, flush=True)  # noqa: T201


class _Problems(logging.Handler):
    """Prints a line to standard error for each problem that the server logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message, without a traceback."""
        report(record.getMessage())


@contextmanager
def problems_reported() -> Iterator[None]:
    """Print what the server says of its database and its disk to standard error, while the context lasts."""
    logger, handler = logging.getLogger("pieces_orm.server.storage"), _Problems()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
