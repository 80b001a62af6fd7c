"""Two watching sessions change the same data at random; when it is quiet, both see what the server has."""

from __future__ import annotations

import random

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, PiecesError, State, Tag

from .support import wait_for

KINDS = (Asset, Anchor, Tag)


class Actor:
    """One session that holds what it hears of, and does something at random."""

    def __init__(self, url, chance):
        self.session = pieces_orm.connect(url)
        self.chance = chance
        self.held = {}
        self.session.signals.created.connect(self._hold)
        self.session.watch(*KINDS).wait_live()

    def _hold(self, sender, entity, **_):
        self.held[entity.id] = entity

    def alive(self, *kinds):
        return [
            each for each in list(self.held.values()) if isinstance(each, kinds) and each.state is not State.DELETED
        ]

    def act(self, step):
        act = self.chance.choice([self.make, self.make, self.edit, self.edit, self.relate, self.relate, self.delete])
        try:
            act(step)
        except PiecesError:
            # The other session was faster: a conflict, or the material is gone. Its edits are given up.
            for entity in self.alive(*KINDS):
                entity.revert()

    def make(self, step):
        make = self.chance.choice([
            lambda: self.session.assets.create(f"x = {step}", name=f"asset {step}", language="py"),
            lambda: self.session.anchors.create(f"/projects/{step}", name=f"anchor {step}"),
            lambda: self.session.tags.create(f"tag {step}"),
        ])  # fmt: skip
        made = make()
        self.held[made.id] = made

    def edit(self, step):
        for entity in self.chance.sample(self.alive(*KINDS), k=min(1, len(self.alive(*KINDS)))):
            setattr(entity, "text" if isinstance(entity, Tag) else "name", f"edited {step}")
            entity.save()

    def relate(self, step):
        assets, others = self.alive(Asset), self.alive(Anchor, Tag)
        if assets and others:
            one, other = self.chance.choice(assets), self.chance.choice(others)
            (one.associate if self.chance.random() < 0.7 else one.disassociate)(other)

    def delete(self, step):
        everything = self.alive(*KINDS)
        if len(everything) > 6:
            self.chance.choice(everything).delete()

    def view(self):
        """What this session believes, without asking: by id, the label and the known associations."""
        return {
            each.id: (
                each.text if isinstance(each, Tag) else each.name,
                *(sorted(each.tags.ids + each.anchors.ids) if isinstance(each, Asset) else sorted(each.assets.ids)),
            )
            for each in self.alive(*KINDS)
        }


def truth(url):
    with pieces_orm.connect(url) as session:
        return {
            each.id: (
                each.text if isinstance(each, Tag) else each.name,
                *(sorted(each.tags.ids + each.anchors.ids) if isinstance(each, Asset) else sorted(each.assets.ids)),
            )
            for kind in KINDS
            for each in session[kind].all()
        }


def converge(server, seed, steps):
    chance = random.Random(seed)
    actors = [Actor(server.url, chance) for _ in range(2)]
    try:
        for step in range(steps):
            chance.choice(actors).act(step)
            if chance.random() < 0.03:
                server.faults.drop_streams()
        wanted = truth(server.url)
        for actor in actors:
            wait_for(lambda actor=actor: actor.view() == wanted, 10)
    finally:
        for actor in actors:
            actor.session.close()


@pytest.mark.parametrize("seed", range(3))
def test_two_sessions_see_what_the_server_has_when_it_is_quiet(pieces_server, seed):
    converge(pieces_server, seed, 30)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 120))
def test_two_sessions_see_what_the_server_has_after_many_steps(pieces_server, seed):
    converge(pieces_server, seed, 200)
