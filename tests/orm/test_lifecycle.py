"""Programs end when they should, and importing is cheap."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

FORGETFUL = """
import pieces_orm
session = pieces_orm.connect({url!r})
watch = session.watch(pieces_orm.Asset, pieces_orm.Anchor)
watch.wait_live()
session.assets.create("x = 1", name="made by a forgetful program")
print("made", flush=True)
"""

EMBEDDED = """
import pieces_orm
session = pieces_orm.embedded()
session.watch(pieces_orm.Asset, pieces_orm.WorkstreamEvent).wait_live()
session.assets.create("x = 1")
print("made", flush=True)
"""


def seconds_to_end_after_the_last_line(program):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    line = process.stdout.readline()
    start = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert (line, out, err, process.returncode) == ("made\n", "", "", 0)
    return time.monotonic() - start


@pytest.mark.xdist_group("machine")
@pytest.mark.parametrize("program", [FORGETFUL, EMBEDDED], ids=["a running server", "an embedded server"])
def test_a_program_that_forgets_close_exits_within_two_seconds(pieces_server, program):
    assert seconds_to_end_after_the_last_line(program.format(url=pieces_server.url)) < 2


def test_an_embedded_session_keeps_its_data_in_the_file(tmp_path):
    import pieces_orm

    path = tmp_path / "my-pieces.db"
    with pieces_orm.embedded(path) as session:
        id = session.assets.create("x = 1", name="kept", tags=["one"]).id
    with pieces_orm.embedded(path) as session:
        asset = session.assets.get(id)
        assert (asset.name, asset.text, [tag.text for tag in asset.tags]) == ("kept", "x = 1", ["one"])


def test_closing_an_embedded_session_stops_its_server():
    import pieces_orm

    session = pieces_orm.embedded()
    url = session.url
    session.close()
    with pytest.raises(pieces_orm.NotRunningError):
        pieces_orm.connect(url)


@pytest.mark.xdist_group("machine")
def test_the_fixtures_are_ready_at_once():
    from pieces_orm.opening import connect
    from pieces_orm.server import Server

    ready, connected = [], []
    for _ in range(3):
        start = time.perf_counter()
        with Server() as server:
            ready.append(time.perf_counter() - start)
            with connect(server.url) as session:
                connected.append(time.perf_counter() - start - ready[-1])
                assert session.tags.all() == []
    # The best of three: the machine may be busy with another test.
    assert min(ready) < 0.3
    assert min(connected) < 0.3
