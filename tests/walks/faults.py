"""Steps in which something breaks: streams, connections, answers, the server itself; and steps at the same time."""

from __future__ import annotations

import random
import threading
import traceback

from .materials import CLASSES
from .reading import get, get_many, iterate, refresh
from .steps import STEPS, Step, Turn, step
from .truth import fill
from .writing import delete, edit_and_save

TOGETHER = (
    "create", "delete", "edit_and_save", "score", "associate", "disassociate", "get", "get_many", "read_all", "refresh",
    "iterate", "expire", "other_creates", "other_edits", "other_deletes", "other_scores", "other_associates",
    "other_disassociates",
)  # fmt: skip


@step(2)
def drop_streams(turn: Turn) -> None:
    turn.said = "the server drops all streams"
    turn.world.server.faults.drop_streams()


@step(1)
def cut_connections(turn: Turn) -> None:
    """Cut whatever goes through the proxy, which is the casual session's."""
    turn.said = "the proxy cuts all connections"
    turn.world.phase.faulty = True
    turn.world.proxy.cut()


@step(1)
def restart(turn: Turn) -> None:
    turn.said = "the server restarts"
    turn.world.phase.faulty = True
    turn.world.server.restart()


@step(3)
def slow_answers(turn: Turn) -> None:
    """Let some answers overtake others."""
    world = turn.world
    turn.said = "slow answers"
    world.proxy.delay = 0.03
    try:
        _together(turn, ["get", "other_edits", "refresh", "read_all"])
        turn.said = f"slow answers: {turn.said}"
    finally:
        world.proxy.delay = 0


@step(3)
def lost_answers(turn: Turn) -> None:
    """Do what is asked, and cut the answer off; or do not even read the request."""
    world, rng = turn.world, turn.rng
    world.phase.faulty = True
    cut = rng.choice([world.server.faults.cut_body, world.server.faults.reset])
    cut(times=rng.randrange(1, 3))
    under = rng.choice([edit_and_save, get, refresh, STEPS["create"][1], STEPS["associate"][1]])
    under(turn)
    world.server.faults.clear()
    turn.said = f"with {cut.__name__}: {turn.said}"


@step(4)
def one_negative_answer(turn: Turn) -> None:
    """Say once that something is not there, or fail once."""
    world, rng = turn.world, turn.rng
    key = turn.key()
    if key is None:
        return
    world.phase.faulty = True
    status = rng.choice([404, 500])
    path = fill(CLASSES[key[0]]._schema.kind.route("read").path, key[1])
    world.server.faults.answer(status, path=path)
    narrowed = Turn(world, random.Random(rng.randrange(2**32)), turn.actor, focus=key)
    under = rng.choice([edit_and_save, get, refresh, get_many, iterate, delete])
    under(narrowed)
    world.server.faults.clear()
    turn.said = f"with one {status} on {world.label(key)}: {narrowed.said}"


@step(8)
def together(turn: Turn) -> None:
    """Several at the same time: own writes beside others'."""
    _together(turn, turn.rng.sample([name for name in TOGETHER if name in STEPS], 3))


def _together(turn: Turn, names: list[str]) -> None:
    world, rng = turn.world, turn.rng
    # Half of the time all are about the same material.
    focus = turn.key() if rng.random() < 0.5 else None
    turns = [Turn(world, random.Random(rng.randrange(2**32)), rng.choice(world.actors), focus=focus) for _ in names]
    threads = [
        threading.Thread(target=_guarded, args=(STEPS[name][1], each), name="walk together")
        for name, each in zip(names, turns, strict=True)
    ]
    world.together = True
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        world.together = False
    turn.said = "together: " + " | ".join(each.said for each in turns if each.said)


def _guarded(function: Step, turn: Turn) -> None:
    try:
        function(turn)
    except Exception as error:  # noqa: BLE001 whatever it is, it was not to be raised
        turn.world.found(f"error: {type(error).__name__} in a thread", f"{turn.said}: {traceback.format_exc()}")
