"""The exactly-once table: every create, edit, score, delete, association and disassociation is told once, rightly.

Everything is done once in each style, with all materials side by side, so that a few fences serve all cells; each test
then looks at the cells of its track. `python -m tests.once` prints the table.
"""

from __future__ import annotations

import pytest

from pieces_orm.wire.associations import ASSOCIATIONS

from .cells import ROWS, STYLES, Cell, tracks
from .expectations import expected, show
from .stage import Stage

pytestmark = pytest.mark.slow  # the first test of a style does everything

STYLED = [pytest.param(style, marks=pytest.mark.xdist_group(f"once-{style}")) for style in STYLES]


@pytest.fixture(scope="module", params=STYLED)
def stage(request):
    stage = Stage(request.param)
    stage.run(tracks())
    return stage


def faults(stage, track):
    """What is wrong in the cells of a track, with all that was told there."""
    wrong = []
    for operation in track.operations:
        told = stage.told[Cell(track, operation)]
        found = expected(Cell(track, operation)).faults(told)
        if found:
            wrong.append(f"{operation}: {'; '.join(found)} (told: {'; '.join(map(show, told)) or 'nothing'})")
    return wrong


@pytest.mark.parametrize("track", [track for track in tracks() if not track.is_association], ids=str)
def test_what_is_done_with_a_material_is_told_once_with_its_origin(stage, track):
    assert faults(stage, track) == []


@pytest.mark.parametrize("track", [track for track in tracks() if track.is_association], ids=str)
def test_an_association_and_its_end_are_told_once_with_their_origin(stage, track):
    assert faults(stage, track) == []


def test_nothing_is_told_of_what_nobody_touched(stage):
    assert stage.strays == []


def test_the_table_has_every_association():
    assert {f"{row.owner.name}.{row.relation}" for row in ASSOCIATIONS} < ROWS.keys()
    assert len(ASSOCIATIONS) == 110
