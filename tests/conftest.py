"""What every test shares. The fixtures `pieces_server` and `pieces` come from the plugin `pieces_orm.testing`."""

import os

import pytest
from hypothesis import settings

import pieces_orm
from pieces_orm.server import Server, Settings
from tests.support import Requests
from tests.wire.recorder import recording

# A machine under load must not fail a property, and a run in CI draws the same examples every time.
settings.register_profile("pieces_orm", deadline=None, derandomize=True, database=None)
settings.load_profile("pieces_orm")


def pytest_xdist_auto_num_workers():
    """One worker more than there are cores: tests wait for half of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def other(pieces_server):
    """Another program on the same server."""
    with pieces_orm.connect(pieces_server.url) as session:
        yield session


@pytest.fixture
def recorder():
    """A server that records what is sent to it, and answers as it is told."""
    with recording() as recorder:
        yield recorder


@pytest.fixture
def recorded(recorder):
    """A session on the recorder that need not connect first."""
    with pieces_orm.Session(recorder.url, api_key="an-application") as session:
        yield session


@pytest.fixture(scope="module", params=[True, False], ids=["extensions", "without"])
def either_server(request):
    """A server that extends the wire, and one that does not; each shared by the tests of a module."""
    with Server(settings=Settings(extensions=request.param)) as server:
        yield server


@pytest.fixture(scope="module")
def session():
    """A session on an embedded server that the tests of a module share."""
    with pieces_orm.embedded() as session:
        _ = session.application
        yield session


@pytest.fixture
def requests(session):
    """The requests of the shared session."""
    return Requests(session)
