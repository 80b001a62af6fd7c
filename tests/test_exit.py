"""A program that forgets to close ends at once, whatever it left open and wherever it keeps it."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEFORE = """
import sys
import pieces_orm

session = pieces_orm.connect(sys.argv[1])
session.tags.create("first")

def started(stream):
    next(stream)
    return stream

def everything(session):
    return [
        started(session.assets.stream()), started(session.suggestions()), session.watch(pieces_orm.Tag).wait_live(),
        session.assets.live().wait_live(), session.changes(pieces_orm.Anchor).wait_live(), session,
    ]

class Closer:
    def __init__(self, opened):
        self.opened = opened
        self.itself = self

    def __del__(self):
        for each in self.opened:
            each.close()
"""
FORGOTTEN = {
    "in a global": "held = everything(session)",
    "in a class attribute": "class Holder: held = everything(session)",
    "in a cycle": "held = everything(session); held.append(held); del held, session",
    "and closes it in a __del__": "class Holder: held = Closer(everything(session))",
    "and closes it in the __del__ of a cycle": "Closer(everything(session)); del session",
}


def ends(code: str, url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{BEFORE}\n{code}\n", url], capture_output=True, text=True, timeout=10, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("way", FORGOTTEN)
def test_a_program_ends_that_keeps_all_it_opened(pieces_server, way):
    ends(FORGOTTEN[way], pieces_server.url)


@pytest.mark.parametrize("way", FORGOTTEN)
def test_a_program_ends_that_forgot_an_embedded_session(pieces_server, way, tmp_path):
    own = f"session = pieces_orm.embedded({str(tmp_path / 'own.db')!r}); session.tags.create('x')"
    ends(f"{own}\n{FORGOTTEN[way]}", pieces_server.url)


def test_a_program_ends_while_its_threads_wait_for_frames_and_changes(pieces_server):
    ends(
        """
import threading
waiting = []
def wait(source):
    waiting.append(source)
    for _ in source:
        pass
for source in session.assets.stream(), session.suggestions(), session.changes():
    threading.Thread(target=wait, args=(source,), daemon=True).start()
while len(waiting) < 3:
    pass
""",
        pieces_server.url,
    )
