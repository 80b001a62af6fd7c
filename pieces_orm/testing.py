"""A pytest plugin: a Pieces server and a session of your own, for tests of programs that use pieces_orm.

The fixtures:
    pieces_server: an embedded server in memory, with its `faults`; one for each test.
    pieces: a session on it.
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
    """An embedded server in memory, stopped after the test."""
    # Imported here: a plugin is loaded in every test run, wanted or not.
    from .server import Server  # noqa: PLC0415

    with Server() as server:
        yield server


@pytest.fixture
def pieces(pieces_server: Server) -> Iterator[Session]:
    """A session on `pieces_server`, closed after the test."""
    from .session import connect  # noqa: PLC0415

    with connect(pieces_server.url) as session:
        yield session
