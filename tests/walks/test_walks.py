"""Random walks: every promise of sessions, signals and lists holds, whatever several programs do at the same time.

A walk that fails prints its seed and its steps. `python -m tests.walks --seed N` walks it again.
"""

from __future__ import annotations

import random
import sys
import time

import pytest

from .walk import Options, Outcome, shrunk, walk
from .world import STYLES

SOAK_MINUTES = 30
SEEDS = (1, 2, 3)

# Two walks at a time would make each other slow.
pytestmark = pytest.mark.xdist_group("machine")


def fresh_seed() -> int:
    """A seed that nobody has walked; the rest of a run follows from it."""
    return random.SystemRandom().randrange(10**9)


def report(outcome: Outcome, *, seconds: float = 0) -> str:
    """What is printed of a walk that fails, shortened for as many seconds."""
    shortened = shrunk(outcome, Options(style=outcome.style), seconds) if seconds else outcome
    return f"\n{shortened}\nto walk it again: python -m tests.walks --seed {outcome.seed} --story"


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_short_walks_find_every_promise_kept(style):
    """About ten seconds for each style; seeds that nobody has walked are the soak's."""
    for seed in SEEDS:
        outcome = walk(seed, Options(style=style, length=45))
        assert not outcome.findings, report(outcome)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("style", STYLES)
def test_walks_of_scopes_find_every_promise_kept(style):
    """Two scopes of a session and one of another, whose streams drop."""
    for seed in SEEDS:
        outcome = walk(seed, Options(style=style, length=45, scoped=True))
        assert not outcome.findings, report(outcome)


@pytest.mark.soak
@pytest.mark.soak_walks
@pytest.mark.timeout(SOAK_MINUTES * 60 + 600)
def test_half_an_hour_of_walks_finds_every_promise_kept(capsys):
    began, seed = time.monotonic(), fresh_seed()
    walks = steps = checks = 0
    while time.monotonic() - began < SOAK_MINUTES * 60:
        outcome = walk(seed + walks, Options())
        assert not outcome.findings, report(outcome, seconds=120)
        walks, steps, checks = walks + 1, steps + outcome.steps, checks + outcome.checks
    with capsys.disabled():
        # To stderr, which the workers of pytest-xdist share with the terminal.
        print(f"\n{walks} walks, {steps:,} steps, {checks:,} checks; seeds from {seed}", file=sys.stderr)
