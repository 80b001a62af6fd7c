"""The file that tells other programs the server's port."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ..transport import discovery
from .errors import ToolError


class PortFile:
    """A context in which a file holds the port; afterwards it is gone, unless another server has written its own.

    Args:
        path: None: no file. Only the folder of the standard place is made.
        port: the number to write.
    """

    def __init__(self, path: Path | None, port: int) -> None:
        self._path = path
        self._text = str(port)

    def __enter__(self) -> PortFile:
        if self._path is not None:
            part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            try:
                if self._path == discovery.port_file():
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                # Renamed, so that nobody reads half a number.
                part.write_text(self._text, encoding="utf-8")
                part.replace(self._path)
            except OSError as error:
                with suppress(OSError):
                    part.unlink()
                message = f"The port file {self._path} cannot be written: {error.strerror}. "
                raise ToolError(f"{message}Name a file in a folder that is there.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is not None:
            with suppress(OSError):
                if self._path.read_text(encoding="utf-8") == self._text:
                    self._path.unlink()
