"""The fault matrix: 43 faults at each exchange of twelve calls, each once and for as long as the call lasts."""

import pytest

from pieces_orm.transport import backoff
from tests.docs.pages import DOCS
from tests.docs.reliability import ATTACKS

from .calls import CALLS
from .faults import FAULTS
from .matrix import Matrix
from .table import cell, head

PAGE = (DOCS / "reliability.md").read_text("utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.partition(ATTACKS)[0].removeprefix(head()).splitlines()]
CELLS = {(name, call): said for name, *cells in ROWS for call, said in zip(CALLS, cells, strict=False)}
REMEDY = "python -m tests.docs.reliability > docs/reliability.md"


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
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_call_that_meets_a_fault_keeps_its_promises_and_does_what_the_page_says(fault, call, matrix):
    broken = matrix.broken(fault, call)
    assert not broken, f"{len(broken)} promises are broken:\n" + "\n".join(broken)
    assert CELLS.get((fault.name, call)) == cell(matrix.runs(fault, call)), REMEDY


def test_the_page_has_the_promises_and_every_fault():
    assert PAGE.startswith(head()), REMEDY
    assert [name for name, *_ in ROWS] == [fault.name for fault in FAULTS], REMEDY
