"""The fault matrix: 43 faults at each exchange of twelve calls, each once and for as long as the call lasts."""

import pytest

from pieces_orm.transport import backoff
from tests.docs.pages import DOCS

from .calls import CALLS
from .faults import FAULTS
from .matrix import Matrix
from .table import head, row

PAGE = DOCS / "reliability.md"
REMEDY = "python -m tests.faults.table > docs/reliability.md"
# One worker has the results of a fault, for both tests.
EACH = [pytest.param(each, id=each.id, marks=pytest.mark.xdist_group(each.id)) for each in FAULTS]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A server is tried again within hundredths of a second."""
    monkeypatch.setattr(backoff, "MAX_PAUSE_S", 0.01)


@pytest.fixture(scope="module")
def matrix():
    matrix = Matrix()
    yield matrix
    matrix.close()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", EACH)
def test_a_call_keeps_its_promises_when_it_meets(fault, call, matrix):
    broken = matrix.broken(fault, call)
    assert not broken, f"{len(broken)} promises are broken:\n" + "\n".join(broken)


@pytest.mark.parametrize("fault", EACH)
def test_the_page_says_what_comes_of(fault, matrix):
    assert row(matrix, fault) in PAGE.read_text("utf-8").splitlines(), REMEDY


def test_the_page_has_every_fault_and_the_promises():
    text = PAGE.read_text("utf-8")
    assert text.startswith(head()), REMEDY
    rows = text.removeprefix(head()).splitlines()
    assert [each.split(" | ")[0] for each in rows] == [f"| {fault.name}" for fault in FAULTS], REMEDY
