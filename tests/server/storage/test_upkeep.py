"""Old changes, a long log, unfinished copies and open permissions of a database are cleared away."""

import os
import signal
import stat
import subprocess

import pytest

from pieces_orm.server import Server, Settings
from pieces_orm.server.storage import backup, database, store
from pieces_orm.wire.kinds import KINDS
from tests.server.support import Wire, program

posix = pytest.mark.skipif(os.name != "posix", reason="signals and permissions of POSIX")


def logged(server):
    with server._store.read() as reader:
        return reader.connection.exec_driver_sql("SELECT min(seq), max(seq), count(*) FROM change").one()


def test_the_log_of_changes_is_pruned_while_the_server_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_MAX_LOGGED_CHANGES", 20)
    monkeypatch.setattr(store, "_CHANGES_PER_PRUNING", 10)
    with Server(tmp_path / "db") as server:
        wire = Wire(server)
        for _ in range(60):
            wire.make(KINDS["tag"])
        first, last, count = logged(server)
        assert last >= 60
        assert 20 <= count == last - first + 1 <= 30


def test_the_write_ahead_log_shrinks_after_a_long_read(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "_LOG_BYTES", 100_000)
    log = tmp_path / "db-wal"
    with Server(tmp_path / "db") as server:
        wire = Wire(server)
        with server._store.read() as reader:
            reader.ids("asset")
            for _ in range(4):
                wire.make_asset("tide " * 300_000)
            grown = log.stat().st_size
        for _ in range(3):
            wire.make(KINDS["tag"])
        assert log.stat().st_size <= 100_000 < grown


COPY = """
    import pathlib, sys
    from pieces_orm.server.storage import backup
    def stop(done, all):
        print(done, flush=True)
        sys.stdin.read()
    backup._PAGES_PER_STEP = 5
    backup.copy(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), progress=stop)
"""


@posix
def test_what_a_killed_copy_leaves_is_removed_by_the_next_one_and_a_copy_under_way_is_not(tmp_path):
    path, folder = tmp_path / "db", tmp_path / "copies"
    folder.mkdir()
    with Server(path):
        pass
    with program(COPY, path, folder / "monday", stdin=subprocess.PIPE) as copying:
        assert copying.stdout.readline()
        backup.copy(path, folder / "tuesday")
        (part,) = folder.glob("*.pieces-part")
        copying.send_signal(signal.SIGKILL)
        copying.communicate()
    assert part.exists()
    (folder / ".none.1234.pieces-part").write_bytes(bytes(9000))  # killed before it was a database
    backup.copy(path, folder / "wednesday")
    assert {file.name for file in folder.iterdir()} == {"tuesday", "wednesday"}


@posix
def test_what_a_killed_upgrade_leaves_is_removed_at_the_next_start(tmp_path):
    (tmp_path / ".db.version-0.2026-01-01T000000Z.abcd.pieces-part").write_bytes(bytes(4096))
    (tmp_path / ".other.part").touch()
    with Server(tmp_path / "db"):
        assert not list(tmp_path.glob("*.pieces-part"))
        assert (tmp_path / ".other.part").exists(), "another program's"


@posix
def test_a_database_that_others_may_read_is_mended_and_said(tmp_path):
    path = tmp_path / "db"
    with Server(path) as server:
        assert server.notice == ""
    path.chmod(0o664)
    with Server(path, settings=Settings(read_only=True)) as server:
        assert server.notice == f"The database {path} can be read by others on this machine (mode 664)."
    with Server(path) as server:
        Wire(server).make(KINDS["tag"])
        sentence = "could be read by others on this machine (mode 664); now it can be read by its owner only."
        assert server.notice == f"The database {path} {sentence}"
        assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in tmp_path.glob("db*")} == {0}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
