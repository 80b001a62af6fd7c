"""The exactly-once table: every create, edit, score, delete, association and disassociation is told once, rightly.

A test does everything with one kind, or from one side of the associations, with all materials side by side, so that a
few fences serve all its cells. `python -m tests.once` prints the table.
"""

from __future__ import annotations

import pytest

from pieces_orm.wire.associations import ASSOCIATIONS

from .cells import ROWS, STYLES, groups
from .expectations import Expectation, expected, show
from .stage import Stage

GROUPS = groups()


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("style", STYLES)
def test_what_is_done_is_told_once_with_its_origin_and_nothing_else_is(style, group):
    run(Stage(style), group)


def run(stage, group):
    """Do what is in a group, and compare what was told with the table."""
    stage.run(GROUPS[group])
    wrong = [f"{event} is about nothing that was done" for event in stage.strays]
    for cell, told in stage.told.items():
        all_told = "; ".join(map(show, told)) or "nothing"
        wrong += [f"{cell}: {fault}; told: {all_told}" for fault in expected(cell).faults(told)]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("style", STYLES)
def test_scopes_of_one_session_are_told_once_as_two_programs_are(style, group):
    run(Stage(style, scoped=True), group)


def test_the_table_has_every_association():
    assert {f"{row.owner.name}.{row.relation}" for row in ASSOCIATIONS} < ROWS.keys()
    assert len(ASSOCIATIONS) == 110


def test_an_expectation_takes_each_event_once():
    told, known, other = (("changed", "it", fields, "remote") for fields in (None, frozenset({"text"}), frozenset()))
    found = Expectation()
    found.must(told, known)
    found.may(other)
    assert found.faults([told]) == found.faults([known, other]) == []
    assert found.faults([]) == ["missing: changed it ? remote or changed it {text} remote"]
    assert found.faults([told, known]) == ["too much: changed it {text} remote"]
    assert found.faults([other, other, told]) == ["too much: changed it {} remote"]
