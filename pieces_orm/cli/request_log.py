"""Where the lines about requests go."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from .errors import ToolError


@contextmanager
def opened(where: str | None) -> Iterator[Callable[[str], None] | None]:
    """A function that writes a line at once.

    Args:
        where: a file, which is appended to and readable by its owner only when it is made; `-`: standard error; None:
            there is no function.

    Raises:
        ToolError: the file cannot be written.
    """
    if where is None or where == "-":
        yield None if where is None else _writer(sys.stderr)
        return
    try:
        handle = os.open(where, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        message = f"The log {where} cannot be written: {error.strerror}. Name a file in a folder that is there."
        raise ToolError(message) from error
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        yield _writer(file)


def _writer(file: TextIO) -> Callable[[str], None]:
    def write(line: str) -> None:
        # A full disk must not keep anybody from reading their data.
        with suppress(OSError):
            file.write(f"{line}\n")
            file.flush()

    return write
