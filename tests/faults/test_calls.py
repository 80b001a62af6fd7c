"""Without a fault, each situation of the matrix succeeds: its own checks are sound."""

from contextlib import ExitStack

import pytest

from tests.support import Heard

from .calls import CALLS
from .worlds import Worlds

SITUATIONS = [each for situations in CALLS.values() for each in situations]


@pytest.fixture(scope="module")
def worlds():
    with ExitStack() as stack:
        yield Worlds(stack)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.name)
def test_a_call_that_meets_no_fault_does_what_it_says(situation, worlds):
    with ExitStack() as stack:
        world = worlds.enter(stack, situation)
        case = situation.prepare(world)
        heard = Heard(world.session)
        world.proxy.take()
        case.check(case.act())
        assert tuple(event[0] for event in heard.take()) == case.told
        assert not any(each.faulted for each in world.proxy.take())
