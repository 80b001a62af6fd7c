"""Servers, and sessions on them whose requests go through a proxy."""

from __future__ import annotations

import uuid

from attrs import define, field

from pieces_orm import Annotation, Asset, State, Tag
from pieces_orm.server import Server, Settings
from pieces_orm.session import Session
from pieces_orm.transport.http import limits

from .exchanges import exchanging

# A field of each kind that can be set.
FIELD = {Asset: "name", Annotation: "text"}


@define
class World:
    """A session whose requests go through a proxy, another that sees what is true, and a label that nobody else has."""

    session: Session
    truth: Session
    proxy: object
    label: str = field(factory=lambda: f"faults{uuid.uuid4().hex[:10]}")

    def make(self, cls, number=1):
        """Make materials of which the session has never heard; return their ids."""
        make = {
            Asset: lambda name: self.truth.assets.create("x = 1", name=name, language="py"),
            Annotation: self.truth.annotations.create,
            Tag: self.truth.tags.create,
        }[cls]
        return [make(f"{self.label} {place}").id for place in range(number)]

    def hold(self, cls, number=1):
        """Make materials and get them into the session."""
        return [self.session[cls].get(id) for id in self.make(cls, number)]

    def edit(self, cls, number=1):
        """Hold materials, the first of them with an edit."""
        held = self.hold(cls, number)
        setattr(held[0], FIELD[cls], "an edit")
        return held

    def set_timeout(self, seconds):
        """Let the session wait so long for an answer from now on."""
        self.session._context.connection._transport._limits = limits(seconds)

    def true(self, entity):
        """Return what the server has of an entity."""
        return self.truth[type(entity)].get(entity.id).raw()

    def assert_true(self, *entities):
        """Check that the session knows of entities what the server has, and has one object for each."""
        for entity in entities:
            assert self.session[type(entity)].peek(entity.id) is entity
            assert entity.state is State.LOADED
            assert entity.raw() == self.true(entity)


class Worlds:
    """Makes worlds on two servers that all of them share, one of which is like those from 12.6 on."""

    def __init__(self, stack):
        self._targets = {}
        for newer in (False, True):
            server = stack.enter_context(Server(settings=Settings(embed_relations=not newer)))
            self._targets[newer] = server.url, stack.enter_context(Session(server.url))

    def enter(self, stack, situation):
        """Return a world for a situation."""
        url, truth = self._targets[situation.newer]
        proxy = stack.enter_context(exchanging(url))
        session = stack.enter_context(Session(proxy.url, timeout=5.0))
        # Connected now, so that no exchange of the call is one of /connect.
        assert session.application
        return World(session, truth, proxy)
