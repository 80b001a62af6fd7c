"""`pieces-orm backup`."""

import errno
import sqlite3
import stat
import sys
import threading
from contextlib import closing, suppress
from unittest import mock

import pytest
import requests

import pieces_orm
from pieces_orm.server import Server
from pieces_orm.server.storage import backup as copying
from tests.server.support import until

from .programs import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions are those of POSIX")


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "pieces.db"
    with pieces_orm.embedded(path) as session:
        session.assets.create("x = 1", name="x.py")
    return path


def backup(database, target, *options):
    return run("backup", target, "--database", database, *options)


def names(folder):
    return {file.name for file in folder.iterdir()}


def test_a_copy_made_while_a_server_writes_is_one_state_and_serves(database, tmp_path):
    copy = tmp_path / "copy.db"
    with Server(database) as server, requests.Session() as http:
        answered, stop = [], threading.Event()

        def write():
            while not stop.is_set():
                made = http.post(f"{server.url}/tags/create", json={"text": "t"}, timeout=10)
                answered.append(made.json()["id"])

        writer = threading.Thread(target=write)
        writer.start()
        until(lambda: len(answered) > 20)
        before = list(answered)
        done = backup(database, copy)
        stop.set()
        writer.join()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Backup: {copy} ({copy.stat().st_size} bytes)\n"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert names(tmp_path) == {"pieces.db", "pieces.db.lock", "copy.db"}
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with pieces_orm.embedded(copy) as session:
        kept = [tag.id for tag in session.tags.all()]
        assert set(before) <= set(kept)
        # Nothing is in the copy whose forerunner is missing.
        assert kept[::-1] == answered[: len(kept)]
        assert [asset.text for asset in session.assets.all()] == ["x = 1"]


def test_an_existing_file_is_replaced_only_with_force(database, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    done = backup(database, copy)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"pieces-orm: No backup was made: {copy} exists; --force replaces it.\n"
    assert copy.read_text() == "precious"
    assert backup(database, copy, "--force").returncode == 0
    with pieces_orm.embedded(copy) as session:
        assert len(session.assets.all()) == 1


def test_a_folder_is_said_to_be_one(database, tmp_path):
    done = backup(database, tmp_path)
    assert (done.returncode, done.stderr) == (1, f"pieces-orm: {tmp_path} is a folder; name a file in it.\n")


def test_a_full_disk_is_said_with_its_remedy(database, tmp_path, monkeypatch):
    for error in (sqlite3.OperationalError("database or disk is full"), OSError(errno.ENOSPC, "No space left")):
        monkeypatch.setattr(copying, "_copy_pages", mock.Mock(side_effect=error))
        said = backup(database, tmp_path / "copy").stderr
        assert f"No backup was made: the disk of {tmp_path / 'copy'} is full. Free some space on it, or" in said


def test_the_database_itself_and_one_that_is_open_are_never_the_target(database, tmp_path):
    done = backup(database, database, "--force")
    assert (done.returncode, "is the database itself" in done.stderr) == (1, True)
    other = tmp_path / "other.db"
    with pieces_orm.embedded(other) as session:
        kept = session.tags.create("kept").id
        done = backup(database, other, "--force")
        assert (done.returncode, "is open, or was not closed" in done.stderr) == (1, True)
    with pieces_orm.embedded(other) as session:
        assert [tag.id for tag in session.tags.all()] == [kept]


@pytest.mark.parametrize(
    ("what", "sentence"), [("missing", "There is no Pieces database at"), ("text", "is not a Pieces database")]
)
def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path, what, sentence):
    (tmp_path / "text").write_text("text")
    done = backup(tmp_path / what, tmp_path / "copy")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert sentence in done.stderr
    assert names(tmp_path) == {"text"}


def test_a_missing_folder_is_refused_in_one_sentence_and_the_database_is_required(database, tmp_path):
    done = backup(database, tmp_path / "no" / "copy")
    sentence = f"{tmp_path / 'no' / 'copy'} cannot be written: No such file or directory. "
    assert (done.returncode, done.stderr) == (
        1, f"pieces-orm: No backup was made: {sentence}Name a file in an existing folder.\n"
    )  # fmt: skip
    assert run("backup", tmp_path / "copy").returncode == 2


def test_a_copy_that_is_stopped_or_fails_leaves_nothing(database, tmp_path):
    def stop(_done, _all):
        raise KeyboardInterrupt

    before = names(tmp_path)
    with suppress(KeyboardInterrupt):
        copying.copy(database, tmp_path / "copy", progress=stop)
    assert names(tmp_path) == before


def test_a_damaged_database_gives_no_backup(database, tmp_path):
    damaged = bytearray(database.read_bytes())
    for place in range(4096 * 2, len(damaged), 4096):
        damaged[place : place + 64] = b"\xff" * 64
    database.write_bytes(damaged)
    done = backup(database, tmp_path / "copy")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "damaged" in done.stderr
    assert "Stop the server, keep a copy of the file, and restore a backup." in done.stderr
    assert "***" not in done.stderr
    assert not (tmp_path / "copy").exists()


def test_progress_is_told_from_none_to_all(database, tmp_path):
    told = []
    copying.copy(database, tmp_path / "copy", progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0
