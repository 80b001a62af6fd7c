"""Two watching sessions and the official client change the same data at random, while streams drop and the server
restarts; whenever it is quiet, both sessions' identity maps say what the server has.

The machine is hypothesis's: a failure prints its steps, and the runs are the same every time.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from pieces_os_client.exceptions import ApiException

import pieces_orm
from pieces_orm import Anchor, Asset, NotFoundError, ServerError, State, StateError, Tag
from pieces_orm.server import Server
from pieces_orm.transport import backoff
from tests.conformance.official import CONTRACT, Official, model
from tests.conformance.test_both_ways import operation

KINDS = (Asset, Anchor, Tag)
LABEL = {Asset: "name", Anchor: "name", Tag: "text"}
RELATIONS = json.loads((CONTRACT / "associations.json").read_text())["relations"]
ASSOCIATIONS = {row["other"]: row for row in RELATIONS if row["owner"] == "asset"}
PICK = st.integers(0, 1_000_000)
WHO = st.sampled_from(["one", "other", "official"])


@contextmanager
def forgiving_what_is_gone():
    """Another was faster, and what is asked for is gone: each kind has its own way of saying that."""
    try:
        yield
    except (NotFoundError, StateError, ServerError):
        pass
    except ApiException as error:
        if error.status not in (404, 410, 500):
            raise


class Machine(RuleBasedStateMachine):
    """What may happen, in any order."""

    @initialize()
    def start(self):
        self.server = Server()
        self.server.start()
        self.official = Official(self.server.url)
        self.held = {"one": {}, "other": {}}
        self.sessions = {name: self.connected(name) for name in self.held}
        for number, cls in enumerate((Asset, Asset, Anchor, Tag)):
            self.create("one", cls, number)

    def connected(self, name):
        session = pieces_orm.connect(self.server.url)

        def hold(sender, entity, **_):
            self.held[name][entity.id] = entity

        self._receivers = [*getattr(self, "_receivers", []), hold]
        session.signals.created.connect(hold)
        session.watch(*KINDS).wait_live()
        return session

    def alive(self, name, *classes):
        """What a session holds, in an order that does not depend on ids."""
        entities = [each for each in list(self.held[name].values()) if isinstance(each, classes or KINDS)]
        return [each for each in entities if each.state is not State.DELETED]

    def pick(self, who, number, *classes):
        entities = self.alive("one" if who == "official" else who, *classes)
        return entities[number % len(entities)] if entities else None

    # What may happen -------------------------------------------------------------------------------------------------

    @rule(who=WHO, cls=st.sampled_from(KINDS), number=PICK)
    def create(self, who, cls, number):
        if who == "official":
            name, body = operation("tag", "create")
            self.official(name, **{body: model("SeededTag", {"text": f"official {number}"})})
            return
        session = self.sessions[who]
        make = {
            Asset: lambda: session.assets.create(f"x = {number}", name=f"asset {number}", language="py"),
            Anchor: lambda: session.anchors.create(f"/projects/{number}", name=f"anchor {number}"),
            Tag: lambda: session.tags.create(f"tag {number}"),
        }
        made = make[cls]()
        self.held[who][made.id] = made

    @rule(who=WHO, which=PICK, number=PICK)
    def edit_and_save(self, who, which, number):
        entity = self.pick(who, which)
        if entity is None:
            return
        label = LABEL[type(entity)]
        if who == "official":
            kind = entity._schema.kind.name
            with forgiving_what_is_gone():
                read, _ = operation(kind, "snapshot_one")
                document = self.official(read, **{entity._schema.kind.parameter: entity.id})
                setattr(document, label, f"official {number}")
                update, body = operation(kind, "update")
                self.official(update, **{body: document})
            return
        with forgiving_what_is_gone():
            try:
                setattr(entity, label, f"edited {number}")
                entity.save()
            finally:
                # After a conflict, or when it is gone, the edits are given up.
                entity.revert()

    @rule(who=WHO, which=PICK, other=PICK, present=st.booleans())
    def relate(self, who, which, other, present):
        asset, neighbour = self.pick(who, which, Asset), self.pick(who, other, Anchor, Tag)
        if asset is None or neighbour is None:
            return
        with forgiving_what_is_gone():
            if who == "official":
                row = ASSOCIATIONS[neighbour._schema.kind.name]["associate" if present else "disassociate"]
                self.official(row["operation_id"], asset=asset.id, **{neighbour._schema.kind.parameter: neighbour.id})
            else:
                (asset.associate if present else asset.disassociate)(neighbour)

    @rule(who=WHO, which=PICK)
    def delete(self, who, which):
        entities = self.alive("one" if who == "official" else who)
        if len(entities) < 2:
            return
        entity = entities[which % len(entities)]
        if who == "official":
            name, _ = operation(entity._schema.kind.name, "delete")
            with forgiving_what_is_gone():
                self.official(name, **{entity._schema.kind.parameter: entity.id})
        else:
            with forgiving_what_is_gone():
                entity.delete()

    @rule()
    def drop_streams(self):
        self.server.faults.drop_streams()

    @rule(chance=st.integers(0, 3))
    def restart(self, chance):
        if chance == 0:
            self.server.restart()

    @rule()
    def be_quiet(self):
        """When nothing happens, both maps say what the server has."""
        truth = self.truth()
        deadline = time.monotonic() + 10
        while True:
            views = {name: self.view(name) for name in self.sessions}
            if all(view == truth for view in views.values()):
                return
            assert time.monotonic() < deadline, (truth, views)
            time.sleep(0.005)

    # What is compared ------------------------------------------------------------------------------------------------

    def view(self, name):
        """What a session believes, without asking."""
        return {each.id: _seen(each) for each in self.alive(name)}

    def truth(self):
        with pieces_orm.connect(self.server.url) as session:
            return {each.id: _seen(each) for cls in KINDS for each in session[cls].all()}

    def teardown(self):
        try:
            self.be_quiet()
        finally:
            for session in self.sessions.values():
                session.close()
            self.server.stop()


def _seen(entity):
    related = entity.tags.ids + entity.anchors.ids if isinstance(entity, Asset) else entity.assets.ids
    return getattr(entity, LABEL[type(entity)]), sorted(related)


def run(runs, steps):
    every = settings(
        max_examples=runs, stateful_step_count=steps, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Machine, settings=every)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A lost stream is tried again within tenths of a second."""
    monkeypatch.setattr(backoff, "MAX_PAUSE_S", 0.1)


@pytest.mark.slow
def test_whenever_it_is_quiet_both_sessions_see_what_the_server_has():
    run(20, 30)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_whenever_it_is_quiet_both_sessions_see_what_the_server_has_after_many_steps():
    run(200, 50)
