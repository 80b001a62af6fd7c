"""A watch that meets a fault is live again after it, and tells every change once."""

import pytest

from pieces_orm.server import Server
from pieces_orm.transport import backoff, websocket

from .faults import FAULTS
from .watching import PHASES, run


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A stream is opened again within hundredths of a second."""
    monkeypatch.setattr(backoff, "MAX_PAUSE_S", 0.05)
    monkeypatch.setattr(websocket, "OPEN_TIMEOUT_S", 0.3)


@pytest.fixture(scope="module")
def url():
    with Server() as server:
        yield server.url


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_watch_is_live_after_a_fault_and_tells_each_change_once(fault, phase, url):
    assert run(url, fault, phase) == []
