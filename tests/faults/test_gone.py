"""What really is gone is believed, however the server says so: the ids confirm it, and `deleted` is told once."""

from contextlib import ExitStack

import pytest

from pieces_orm import BatchError, NotFoundError, State
from tests.support import Heard

from . import promises
from .calls import CALLS
from .faults import FAULTS
from .worlds import Worlds

STATUSES = (404, 410, 500)
SAYING = {fault.status: fault for fault in FAULTS if fault.status in STATUSES}
READING = ("get", "get_many", "refresh", "a field", "save")
SITUATIONS = [each for call in (*READING, "delete") for each in CALLS[call] if "not held" not in each.name]
# A handle has nothing that could be lost: nothing is told of it.
KNOWN = [each for each in SITUATIONS if "handle" not in each.name]


@pytest.fixture(scope="module")
def worlds():
    with ExitStack() as stack:
        yield Worlds(stack)


def cases():
    for situation in KNOWN:
        missing = situation.kind_of._schema.kind.missing_status
        for status in dict.fromkeys((404, missing)):
            yield pytest.param(situation, status, id=f"{situation.name}, answered {status}")


@pytest.mark.parametrize(("situation", "status"), list(cases()))
def test_a_deletion_elsewhere_is_believed_and_told_once(situation, status, worlds):
    with ExitStack() as stack:
        world = worlds.enter(stack, situation)
        case = situation.prepare(world)
        [gone] = [each for each in case.held if each.id == case.victim]
        world.truth[type(gone)].ref(gone.id).delete()
        heard = Heard(world.session)
        world.proxy.take()
        one = f"/{gone.id}"
        world.proxy.plan(SAYING[status], concerns=lambda path: one in path)
        if situation.name.startswith("delete"):
            case.act()
        else:
            with pytest.raises((NotFoundError, BatchError)) as raised:
                case.act()
            failed = raised.value.failed if isinstance(raised.value, BatchError) else {gone.id: raised.value}
            assert [(id, type(error)) for id, error in failed.items()] == [(gone.id, NotFoundError)]
        assert gone.state is State.DELETED
        assert [event[:3] for event in heard.take()] == [("deleted", type(gone).__name__, gone.id)]
        assert sum(promises.is_ids(each, type(gone)) for each in world.proxy.take()) <= int(
            status != 410 or "get_many" in situation.name
        )
        world.proxy.heal()
        assert world.session[type(gone)].get(gone.id, None) is None
        assert heard.take() == []
        assert all(each.state is State.LOADED for each in case.held if each is not gone)
