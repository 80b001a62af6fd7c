"""A pytest plugin for tests of programs that use pieces_orm.

Fixtures:
    pieces_server: an embedded server in memory, a new one for each test; its `faults` make it fail on purpose.
    pieces: a session on that server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import Server
    from .session import Session


@pytest.fixture
def pieces_server() -> Iterator[Server]:
    """Start an embedded server in memory, and stop it after the test."""
    # Imported here, because pytest loads the plugin in every run, whether its fixtures are used or not.
    from .server import Server  # noqa: PLC0415

    with Server() as server:
        yield server


@pytest.fixture
def pieces(pieces_server: Server) -> Iterator[Session]:
    """Open a session on `pieces_server`, and close it after the test."""
    from .opening import connect  # noqa: PLC0415

    with connect(pieces_server.url) as session:
        yield session
