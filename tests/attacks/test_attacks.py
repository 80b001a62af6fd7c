"""Every attack, with a few inputs."""

import random
from contextlib import ExitStack

import pytest

from tests.docs.pages import DOCS
from tests.docs.reliability import attacks as page

from . import attacks, results
from .target import serving

ATTACKS = list(attacks())


@pytest.fixture(scope="module")
def target_for(tmp_path_factory):
    """The server for some options: one for all attacks that have them."""
    targets = {}
    with ExitStack() as stack:

        def get(options):
            if options not in targets:
                folder = tmp_path_factory.mktemp("attacked")
                targets[options] = stack.enter_context(serving(folder, options))
            return targets[options]

        yield get
        for target in targets.values():
            target.check_readable()


@pytest.mark.parametrize("attack", [pytest.param(each, id=each.name) for each in ATTACKS])
def test_an_attack_does_no_harm(target_for, attack):
    target = target_for(attack.options)
    assert attack.strike(target, random.Random(1), attack.inputs) > 0
    target.check_health()


def test_the_names_of_attacks_are_unique():
    assert len({each.name for each in ATTACKS}) == len(ATTACKS)


def test_the_page_has_the_results_of_a_run_of_every_attack():
    remedy = "python -m tests.attacks && python -m tests.docs.reliability > docs/reliability.md"
    assert (DOCS / "reliability.md").read_text("utf-8").endswith(page()), remedy
    assert {each.name: each.outcome for each in results.read()} == {each.name: each.outcome for each in ATTACKS}, remedy
