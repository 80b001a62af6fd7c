"""`pieces-orm demo`: show what the package can do on real files, and leave nothing behind."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from ... import Entity, Session, TransportError, connect, embedded
from ...transport import discovery
from ..errors import CommandError, WrongUsageError
from ..interrupts import Interrupts
from ..terminal import Terminal, count
from .created import KINDS, Created
from .input_files import listed, read_input
from .scenario import Scenario
from .watcher import WATCHED, Watcher

PACKAGE = Path(__file__).resolve().parents[2]
LINES_SHOWN = 3  # of each operation

InputPath = Annotated[Path | None, Argument(metavar="PATH", help="Folder or file; default: the source of pieces_orm.")]
Url = Annotated[str | None, Option(metavar="URL", help="Use this server, which may be a Pieces OS.")]
Token = Annotated[str | None, Option(metavar="TOKEN", envvar="PIECES_ORM_TOKEN", help="Token of the server at --url.")]
Database = Annotated[Path | None, Option(metavar="FILE", help="Database of the demo's own server; default: in memory.")]


def demo(path: InputPath = None, url: Url = None, token: Token = None, database: Database = None) -> None:
    """Turn files into materials, work with them, and delete them again.

    Each text file becomes an asset, its folder an anchor, each link in it a website and its language a tag; the run
    becomes a workstream event and a summary; all are associated. The demo then searches, renames an asset and shows
    what a second session received. In the end it deletes what it created and nothing else, also after Ctrl-C. Binary,
    empty, hidden and huge files (over 1 MB) are skipped.
    """
    if url is not None and database is not None:
        raise WrongUsageError("--database cannot be combined with --url.")
    terminal = Terminal()
    files = read_input(PACKAGE if path is None else path)
    # From here on, Ctrl-C takes effect between two steps, so that everything created is known and can be deleted.
    with (
        Interrupts() as interrupts,
        _open(url, token, database) as session,
        connect(session.url, token=token if url else None, autoload=False) as second,
    ):
        where = "" if url else f" (embedded, data in {'memory' if database is None else database.resolve()})"
        terminal.say(f"Server: {session.url}{where}")
        terminal.say(f"Input: {count(len(files.files), 'file')} under {files.root}")
        terminal.say(f"Skipped: {listed(files.skipped)}")
        watcher = Watcher(second, timeout_s=10 + len(files.files) / 20)
        _run(Scenario(terminal, files, session, Created(session), watcher, interrupts.check), second)


def _open(url: str | None, token: str | None, database: Path | None) -> Session:
    if url is None:
        return embedded(database)
    problem = discovery.probe(url, token)
    if problem is not None and problem.is_pieces:
        raise CommandError(problem.at(url))
    if problem is not None:
        raise CommandError(f"No Pieces server is ready at {url}: {problem}. Run `pieces-orm serve`, or omit --url.")
    return connect(url, token=token)


def _run(scenario: Scenario, second: Session) -> None:
    """Play the scenario, delete what it created whatever happens, and show what was done."""
    started = time.monotonic()
    created, watcher, terminal = scenario.created, scenario.watcher, scenario.terminal
    associations = _record(scenario.session.signals.associated)
    requests, requests_of_second = (_record(session.signals.requested) for session in (scenario.session, second))
    try:
        try:
            scenario.play()
        finally:
            left = created.delete_all(terminal)
    except TransportError:
        created.report_strays()
        raise
    watcher.wait("deleted", [entity.id for entity in created.of(*WATCHED) if entity not in left])
    _show_received(terminal, watcher, [entity.id for entity in created.entities])
    terminal.say()
    _show_materials(scenario, left)
    terminal.say()
    terminal.say(
        f"{count(len(associations), 'association')} and {count(len(requests) + len(requests_of_second), 'request')} "
        f"({len(requests_of_second)} by the second session) in {time.monotonic() - started:.1f} seconds."
    )
    if left:
        raise CommandError(f"{count(len(left), 'material')} could not be deleted: see above.")
    terminal.say("Everything that the demo created is deleted again.")


def _record(signal: Any) -> list[str]:
    """Return a list that grows by one item each time the signal is sent."""
    sent: list[str] = []
    signal.connect(lambda *_, **__: sent.append(signal.name), weak=False)
    return sent


def _show_received(terminal: Terminal, watcher: Watcher, ids: Sequence[str]) -> None:
    """Show a few of the changes that the second session received, and how many there were."""
    terminal.say("The second session received, on its streams:")
    for operation in ("created", "associated", "changed", "deleted"):
        changes = watcher.changes(operation, ids)
        # Associating something changes its `updated`; only a new name is worth a line.
        shown = [change for change in changes if operation != "changed" or "name" in change.before][:LINES_SHOWN]
        for change in shown:
            terminal.say(f"  {watcher.describe(change)}")
        if len(changes) > len(shown):
            terminal.say(f"  ... {len(changes)} {operation} in all")


def _show_materials(scenario: Scenario, left: Sequence[Entity]) -> None:
    """Show by kind how many materials were created, reused and deleted."""
    created, used = scenario.created.entities, {*scenario.assets, *scenario.neighbours}
    columns = {
        "created": Counter(map(type, created)),
        "reused": Counter(map(type, used.difference(created))),
        "deleted": Counter(type(entity) for entity in created if entity not in left),
    }
    table = scenario.terminal.table("materials", *columns)
    for cls in KINDS:
        table.add_row(cls._schema.kind.collection.replace("_", " "), *(str(counts[cls]) for counts in columns.values()))
    table.add_row("total", *(str(counts.total()) for counts in columns.values()))
    scenario.terminal.say(table)
