"""The fault matrix: 43 faults at each exchange of twelve calls, each once and for as long as the call lasts."""

import pytest

from pieces_orm.transport import backoff

from .faults import FAULTS
from .matrix import outcomes


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A server is tried again within hundredths of a second."""
    monkeypatch.setattr(backoff, "MAX_PAUSE_S", 0.01)


@pytest.mark.parametrize("fault", [pytest.param(each, id=each.id, marks=pytest.mark.xdist_group(each.id)) for each in FAULTS])
def test_calls_keep_their_promises_when_they_meet(fault):
    broken = outcomes(fault).broken
    assert not broken, f"{len(broken)} promises are broken:\n" + "\n".join(broken)
