"""The file that keeps a line for each request."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import CommandError, report


@contextmanager
def request_log(where: str) -> Iterator[Callable[[str], None]]:
    """Open a log and yield the function that appends a line to it at once.

    Args:
        where: a file, readable by its owner only when it is created; `-` is standard error.

    Raises:
        CommandError: the file cannot be written.
    """
    target = sys.stderr.fileno() if where == "-" else where
    try:
        file = open(  # noqa: SIM115 closed below
            target, "ab", buffering=0, closefd=where != "-", opener=lambda path, flags: os.open(path, flags, 0o600)
        )
    except OSError as error:
        message = f"The log {where} cannot be written: {error.strerror}. Name a file in an existing folder."
        raise CommandError(message) from error

    failing = False

    def write(line: str) -> None:
        nonlocal failing
        try:
            file.write(f"{line}\n".encode())
        except OSError as error:
            # A full disk must not keep anyone from reading their data.
            if not failing and where != "-":
                report(f"The log {where} cannot be written: {error.strerror}. Requests are answered all the same.")
            failing = True
        else:
            failing = False

    with file:
        yield write
