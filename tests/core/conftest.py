"""What the tests of the core are given, besides the fixtures of the package's own plugin."""

import pytest

import pieces_orm


@pytest.fixture
def other(pieces_server):
    """Another program on the same server."""
    with pieces_orm.connect(pieces_server.url) as session:
        yield session
