"""A log that a killed server has left is played into its own database, and never into another file in its place."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress

import pytest

from pieces_orm.errors import NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.server.storage import backup, log_owner, store
from tests.cli.programs import run
from tests.server.support import Wire, ids

pytestmark = pytest.mark.skipif(os.name != "posix", reason="copies of files that are open")
REFUSED = r"pieces\.db-wal belongs to another file, .* Nothing was changed\. .* remove pieces\.db-wal and .*-shm\."


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def copied(server, target):
    """Copy a server's folder by another program, as it would be after a kill."""
    subprocess.run(["cp", "-a", server._store.path.parent, target], check=True)
    return target / "pieces.db"


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of a killed server whose log holds the second of two tags, and copies made before that."""
    base = tmp_path_factory.mktemp("killed")
    (base / "run").mkdir()
    path = base / "run" / "pieces.db"
    copies = base / "copies"
    copies.mkdir()
    with Server(path) as server:
        first = Wire(server).post("/tags/create", {"text": "first"})["id"]
    shutil.copy(path, copies / "of the stopped server")
    with Server(path) as server:
        backup.copy(path, copies / "by our command")
        second = Wire(server).post("/tags/create", {"text": "second"})["id"]
        copied(server, base / "left")
    return base / "left", copies, [first, second]


def mend_by_move(source, target):
    shutil.copy(source, target.with_name("moved"))
    target.with_name("moved").replace(target)


@pytest.mark.parametrize("name", ["by our command", "of the stopped server", "a text"])
@pytest.mark.parametrize("restore", [shutil.copy, mend_by_move])
def test_a_backup_put_beside_the_log_of_a_killed_server_is_refused_and_not_changed(tmp_path, killed, name, restore):
    left, copies, (first, _) = killed
    shutil.copytree(left, folder := tmp_path / "folder")
    path = folder / "pieces.db"
    if name == "a text":
        path.write_text("not even a database " * 1000)
    else:
        restore(copies / name, path)
    path.chmod(0o600)
    before = contents(folder)
    for settings in (Settings(), Settings(read_only=True)):
        with pytest.raises(NotRunningError, match=REFUSED):
            Server(path, settings=settings).start()
        assert contents(folder) == before
    if name == "by our command":
        assert "belongs to another file" in run("backup", tmp_path / "copy", "--database", path).stderr
        assert contents(folder) == before
        # The remedy that the sentence names.
        (folder / "pieces.db-wal").unlink()
        (folder / "pieces.db-shm").unlink()
        with Server(path) as server:
            assert ids(Wire(server).get("/tags")) == [first]


def test_files_that_are_moved_or_copied_together_keep_their_log(tmp_path, killed):
    left, _, tags = killed
    shutil.copytree(left, copy := tmp_path / "copy")
    copy.rename(moved := tmp_path / "moved")
    (moved / "link").symlink_to("pieces.db")
    with Server(moved / "link", settings=Settings(read_only=True)) as server:
        assert sorted(ids(Wire(server).get("/tags"))) == sorted(tags)
    with Server(moved / "link") as server:
        assert sorted(ids(Wire(server).get("/tags"))) == sorted(tags)


def test_renamed_files_that_are_refused_open_after_the_remedy(tmp_path, killed):
    left, _, tags = killed
    with Server(tmp_path / "pieces.db"):
        pass  # leaves a lock file
    for end in ("", "-wal", "-shm"):
        shutil.copy(left / f"pieces.db{end}", tmp_path)
    with pytest.raises(NotRunningError, match=r"were renamed, remove pieces\.db\.lock instead"):
        Server(tmp_path / "pieces.db").start()
    (tmp_path / "pieces.db.lock").unlink()
    with Server(tmp_path / "pieces.db") as server:
        assert sorted(ids(Wire(server).get("/tags"))) == sorted(tags)


class Killed(Exception):
    """Stands for a kill: the folder is kept as it is at this moment."""


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("moment", ["before the transaction", "before the checkpoint", "after the checkpoint"])
def test_a_server_killed_while_it_opens_leaves_files_that_open(tmp_path, monkeypatch, moment, is_new):
    path = tmp_path / "run" / "pieces.db"
    path.parent.mkdir()
    kept = []
    if not is_new:
        with Server(path) as server:
            kept = [Wire(server).post("/tags/create", {"text": "kept"})["id"]]

    def killed(*_):
        subprocess.run(["cp", "-a", path.parent, tmp_path / "left"], check=True)
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before the transaction":
            patch.setattr(store.Store, "_create", killed)
        elif moment == "before the checkpoint":
            patch.setattr(store.Store, "_begin_use", killed)
        else:
            write = log_owner.write_stamps
            patch.setattr(log_owner, "write_stamps", lambda *given: write(*given) if len(given[1]) > 1 else killed())
        with suppress(Killed):
            Server(path).start()
    for _ in range(2):
        with Server(tmp_path / "left" / "pieces.db") as server:
            assert ids(Wire(server).get("/tags")) == kept


def test_a_log_stays_the_files_own_when_a_reader_keeps_the_server_from_moving_its_stamp_into_the_file(tmp_path):
    path = tmp_path / "run" / "pieces.db"
    path.parent.mkdir()
    with Server(path):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM material").fetchone()
        with Server(path) as server:
            tag = Wire(server).post("/tags/create", {"text": "t"})["id"]
            left = copied(server, tmp_path / "left")
    with Server(left) as server:
        assert ids(Wire(server).get("/tags")) == [tag]


def test_a_backup_is_made_while_the_server_runs_and_needs_no_log(killed):
    _, copies, _ = killed
    assert log_owner.read_stamp(copies / "by our command") == log_owner.NONE
    assert log_owner.read_stamp(copies / "of the stopped server") != log_owner.NONE
