"""The file that tells other programs the server's port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..transport import discovery
from .errors import CommandError


@contextmanager
def publish_port(path: Path, port: int) -> Iterator[None]:
    """Keep the port in a file, and remove the file afterwards unless another server has written its own port there.

    Only the folder of the standard port file is created when it is missing.
    """
    text = str(port)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        if path == discovery.port_file():
            path.parent.mkdir(parents=True, exist_ok=True)
        # Renamed, so that nobody reads half a number.
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        message = f"The port file {path} cannot be written: {error.strerror}. Name a file in an existing folder."
        raise CommandError(message) from error
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_text(encoding="utf-8") == text:
                path.unlink()
