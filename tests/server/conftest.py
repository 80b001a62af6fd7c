from collections.abc import Iterator

import pytest

from pieces_orm.server import Server
from tests.server.support import Wire


@pytest.fixture(scope="module")
def shared() -> Iterator[Wire]:
    """A server that the tests of one module share: they look only at what they made."""
    with Server() as server:
        yield Wire(server)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A server of a test's own."""
    with Server() as server:
        yield Wire(server)


@pytest.fixture
def started(request: pytest.FixtureRequest) -> Iterator:
    """Start servers with settings; they stop with the test."""
    running = []

    def start(database=None, **options) -> Wire:
        server = Server(database, **options)
        server.start()
        running.append(server)
        return Wire(server)

    yield start
    for server in running:
        server.stop()
