"""Runs of a watch: a fault meets its stream, its reads of ids or its reads of materials, and passes."""

from __future__ import annotations

import contextlib
from collections import Counter
from contextlib import ExitStack

from attrs import define, field

from pieces_orm import Asset, RequestTimeout, State
from pieces_orm.session import Session
from tests.support import Heard, wait_for

from .exchanges import exchanging

# Which exchanges of a feed meet the fault.
PHASES = {
    "the opening of the stream": lambda path: path == "/assets/stream/identifiers",
    "the read of the ids": lambda path: path == "/assets/identifiers",
    "the reads of materials": lambda path: path.startswith("/assets/") and not path.endswith("/identifiers"),
}
WAIT_S = 10


@define
class Scene:
    """A session that watches, and another program."""

    proxy: object
    watch: object
    truth: Session
    edited: Asset
    gone: Asset
    kept: Asset
    heard: Heard
    made: list = field(factory=list)

    def change(self):
        """Let the other program edit, delete and create."""
        theirs = self.truth.assets.get(self.edited.id)
        theirs.name = "edited elsewhere"
        theirs.save()
        self.truth.assets.ref(self.gone.id).delete()
        self.make("made meanwhile")

    def make(self, name):
        self.made.append(self.truth.assets.create("x", name=name, language="py").id)

    @property
    def expected(self):
        """Every signal that has to be told, once."""
        return {
            ("changed", self.edited.id): 1,
            ("deleted", self.gone.id): 1,
            **{("created", id): 1 for id in self.made},
        }

    @property
    def told(self):
        events = (event for event in self.heard.events if event[0] != "changed" or event[3] != {"updated"})
        return dict(Counter((name, id) for name, _, id, *_ in events))


@contextlib.contextmanager
def scene(url, timeout):
    """Open a session that holds three assets, one with an edit, and watches."""
    with ExitStack() as stack:
        proxy = stack.enter_context(exchanging(url))
        truth = stack.enter_context(Session(url))
        session = stack.enter_context(Session(proxy.url, timeout=timeout))
        ids = [truth.assets.create("x", name=name, language="py").id for name in ("edited", "gone", "kept")]
        edited, gone, kept = (session.assets.get(id) for id in ids)
        kept.name = "an edit"
        watch = stack.enter_context(session.watch(Asset)).wait_live()
        proxy.take()
        yield Scene(proxy, watch, truth, edited, gone, kept, Heard(session))


def run(url, fault, phase):
    """Let a fault meet a watch while another program makes changes; return the promises that do not hold."""
    with scene(url, fault.timeout) as found:
        proxy = found.proxy
        is_reading = phase == "the reads of materials"
        victim = found.edited if is_reading else found.kept
        # A list of ids that leaves one out twice is a confirmation.
        once = 0 if fault.undetectable and not is_reading else None
        proxy.plan(fault, once, PHASES[phase], victim.id)
        if not is_reading:
            proxy.cut()
        if fault.refuses:
            wait_for(lambda: found.watch.state == "lost")
        found.change()
        if not fault.refuses:
            wait_for(lambda: proxy.faulted >= 1, WAIT_S)
            # A second time, unless the first was taken for a good one.
            with contextlib.suppress(AssertionError):
                wait_for(lambda: proxy.faulted >= 2 or (not is_reading and found.watch.state == "live"), 0.5)
        proxy.heal()
        if fault.undetectable and not is_reading:
            # What the list of ids did not say is found by the next.
            proxy.cut()
        return list(_broken(found, fault))


def _broken(found, fault):
    try:
        found.watch.wait_live(WAIT_S)
    except RequestTimeout as error:
        yield f"the watch is not live again: {error}"
        return
    found.make("a marker")
    with contextlib.suppress(AssertionError):
        wait_for(lambda: found.expected.items() <= found.told.items(), 2)
    told, expected = found.told, found.expected
    names = {found.edited.id: "the edited", found.gone.id: "the deleted", found.kept.id: "the untouched"}
    names |= dict(zip(found.made, ("the one made meanwhile", "the one made afterwards"), strict=True))
    wrong = {
        event: told.get(event, 0) for event in {**expected, **told} if told.get(event, 0) != expected.get(event, 0)
    }
    yield from {f"{name} of {names.get(id, 'others')} was told {number} times" for (name, id), number in wrong.items()}
    if found.kept.state is not State.LOADED or found.kept.edits != {"name": "an edit"}:
        yield f"the untouched is {found.kept.state.name} with the edits {found.kept.edits}"
    if found.gone.state is not State.DELETED:
        yield f"the deleted is {found.gone.state.name}"
    if found.edited.state is not State.LOADED or found.edited.name != "edited elsewhere":
        yield f"the edited is {found.edited.state.name}, or has not its new name"
