"""The server that is attacked, in a process of its own."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import requests
from attrs import frozen

import pieces_orm
from pieces_orm.wire.kinds import KINDS
from tests.cli.programs import started

_ANSWERS_WITHIN_S = 5


@frozen
class Target:
    """A server in a process of its own, on a database in a file."""

    url: str
    process: subprocess.Popen[str]
    database: Path

    @property
    def resident(self) -> int:
        """The resident size of the process in bytes, now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024

    def check_health(self, within_s: float = _ANSWERS_WITHIN_S) -> float:
        """Assert that the server lives and answers in time; returns the seconds that it took."""
        begun = time.monotonic()
        answer = requests.get(f"{self.url}/.well-known/health", timeout=within_s)
        taken = time.monotonic() - begun
        assert answer.status_code == 200, answer.text
        assert taken < within_s
        return taken

    def check_readable(self) -> None:
        """Assert that all that is stored can be read, by the objects of this package, and that its file is sound."""
        with pieces_orm.connect(self.url) as session:
            for kind in KINDS.values():
                collection = getattr(session, kind.collection)
                found, listed = {each.id for each in collection.all()}, set(collection.ids())
                assert found == listed, (kind.name, found ^ listed)
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@contextmanager
def serving(folder: Path, options: tuple[str, ...] = ()) -> Iterator[Target]:
    """Serve a new database in a folder until the block is left."""
    database = folder / "pieces.db"
    with started("serve", "--port", "0", "--database", database, *options) as program:
        assert program.stdout is not None
        yield Target(program.stdout.readline().split()[-1], program, database)
