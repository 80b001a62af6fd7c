"""`pieces-orm demo`: what the package can do, shown on real files, with nothing left behind."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from ...errors import TransportError
from ...session import Session, connect
from ...transport import discovery
from ..errors import ToolError
from ..interrupts import Stop
from ..serving import Serving, new_server
from ..terminal import Screen, count, shown
from .created import KINDS, Ledger
from .input_files import Sources, listed, read_sources
from .scenario import Story
from .watcher import WATCHED, Listener

PACKAGE = Path(__file__).resolve().parents[1]
HEARD_SHOWN = 3  # lines of each operation


@define
class Count:
    """What the sessions of a run did."""

    requests: Counter[str] = field(factory=Counter)
    associations: Counter[str] = field(factory=Counter)
    started: float = field(factory=time.monotonic)

    def listen(self, session: Session, name: str) -> None:
        """Count the requests of a session."""

        def requested(_: Any, **__: Any) -> None:
            self.requests[name] += 1

        session.signals.requested.connect(requested, weak=False)

    def listen_to_associations(self, session: Session) -> None:
        """Count the associations that a session makes."""

        def associated(cls: Any, *, relation: str, origin: str, **_: Any) -> None:
            if origin == "local":
                self.associations[f"{cls._schema.kind.name} - {relation}"] += 1

        session.signals.associated.connect(associated, weak=False)


def demo(screen: Screen, *, path: Path | None, url: str | None, token: str | None, database: Path | None) -> None:
    """Run the demo.

    Args:
        path: a folder or file; None: the source of this package.
        url: of a running server; None: one of its own.
        token: what that server wants to see.
        database: the file of its own server; None: in memory.

    Raises:
        ToolError: there is nothing to work on, or no server, or something could not be deleted.
        StoppedError: somebody stopped it; what it had made was deleted.
    """
    sources = read_sources(PACKAGE if path is None else path)
    counted = Count()
    # From here on Ctrl-C is looked at between two steps, so that whatever was made is known and can be deleted.
    with Stop() as stop, _server(screen, url, token, database) as address, connect(address, token=token) as session:
        counted.listen(session, "the session's own")
        counted.listen_to_associations(session)
        with connect(address, token=token) as second:
            counted.listen(second, "the watching session's")
            screen.say(f"Input: {count(len(sources.files), 'file')} under {shown(str(sources.root), 200)}")
            if sources.skipped:
                screen.say(f"Skipped: {listed(sources.skipped)}")
            _run(screen, sources, session, second, stop, counted)


@contextmanager
def _server(screen: Screen, url: str | None, token: str | None, database: Path | None) -> Iterator[str]:
    """The address of the server to work with, which lives as long as this context if it is the demo's own."""
    if url is not None:
        problem = discovery.probe(url, token)
        if problem is not None:
            remedy = "Start one with `pieces-orm serve`, or leave --url out: the demo brings its own."
            raise ToolError(f"No Pieces server is ready at {url}: {problem}. {remedy}")
        screen.say(f"Server: {url}")
        yield url
        return
    with new_server(Serving(database=database)) as server:
        kept = "in memory" if database is None else f"in {database.resolve()}"
        screen.say(f"Server: embedded, at {server.url}, {kept}")
        yield server.url


def _run(screen: Screen, sources: Sources, session: Session, second: Session, stop: Stop, counted: Count) -> None:
    """Tell the story, clean up whatever happens, and show what was done."""
    ledger = Ledger(session)
    with Listener(second) as listener:
        lost = False
        story = Story(screen, sources, session, ledger, listener, stop.check)
        try:
            story.tell()
        except TransportError:
            lost = True
            raise
        finally:
            left = ledger.clean(screen)
            if lost:
                ledger.note_strays(screen)
        ids = ledger.ids()
        # Each kind has a stream of its own: one that has told its deletions says nothing of the others.
        listener.wait("deleted", [entity.id for cls in WATCHED for entity in ledger.of(cls)], story.patience)
        _show_heard(screen, listener, ids)
    screen.say()
    _show_table(screen, story, ledger, counted)
    if left:
        raise ToolError(f"{count(len(left), 'material')} that the demo made could not be deleted: see above.")
    screen.say()
    screen.say("Everything that the demo made is deleted again.")


def _show_heard(screen: Screen, listener: Listener, ids: set[str]) -> None:
    """A few of the things that the watching session heard, and how many there were."""
    totals = listener.totals(ids)
    screen.say("The second session heard, on its streams:")
    for operation in ("created", "associated", "changed", "deleted"):
        heard = [each for each in listener.about(ids) if each.operation == operation]
        # Of changes the renames are worth a line; what an association does to `updated` is not.
        worth = [each for each in heard if operation != "changed" or each.detail][:HEARD_SHOWN]
        for each in worth:
            screen.say(f"  {each.line}")
        if len(heard) > len(worth):
            screen.say(f"  ... {len(heard)} {operation} in all")
    if not totals:
        screen.say("  nothing")


def _show_table(screen: Screen, story: Story, ledger: Ledger, counted: Count) -> None:
    """What the run did, by kind, and in all."""
    rows = []
    for cls in KINDS:
        kind = cls._schema.kind
        made = ledger.of(cls)
        reused = len(story.reused[kind.name])
        rows.append([kind.collection.replace("_", " "), str(len(made)), str(reused), str(ledger.deleted[kind.name])])
    rows.append(["in all", *(str(sum(int(row[place]) for row in rows)) for place in (1, 2, 3))])
    sums = [
        ["associations", str(counted.associations.total()), "", ""],
        ["requests made", str(counted.requests.total()), "", ""],
        *([f"  {name}", str(number), "", ""] for name, number in counted.requests.items()),
        ["seconds", f"{time.monotonic() - counted.started:.1f}", "", ""],
    ]
    screen.table(("materials", "made", "found there", "deleted"), rows, sums)
