"""The file that people rely on: its durability, its version, and one server at a time."""

import gzip
import os
import signal
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

import pieces_orm
from pieces_orm.errors import DatabaseLockedError, NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.server.storage import backup, database, upgrades
from pieces_orm.server.storage.store import Store
from pieces_orm.wire.kinds import KINDS
from tests.server.support import SERVE, Wire, program

OLD = Path(__file__).parent / "files" / "version-0.db.gz"


@pytest.fixture
def old(tmp_path):
    """A file that the version before the first numbered one has written."""
    path = tmp_path / "pieces.db"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    path.chmod(0o600)
    return path


def pragma(path, name):
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute(f"PRAGMA {name}").fetchone()[0]


def rows(path):
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute("SELECT * FROM material ORDER BY seq").fetchall()


def pragmas(reader):
    names = ("journal_mode", "synchronous")
    return [reader.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]


def test_every_connection_writes_ahead_and_waits_for_the_disk(tmp_path):
    with Server(tmp_path / "db") as server:
        store = server._store
        with store.read() as one, store.read() as other, store.write() as writer:
            assert [pragmas(one), pragmas(other), pragmas(writer)] == [["wal", 2]] * 3


def test_a_new_file_says_whose_it_is_and_its_version(tmp_path):
    path = tmp_path / "what? a #name.db"
    with Server(path) as server:
        assert server.notice == ""
    assert pragma(path, "user_version") == len(upgrades.STEPS)
    assert pragma(path, "application_id") == database.APPLICATION_ID
    assert {file.name for file in tmp_path.iterdir()} == {path.name, path.name + ".lock"}
    with Server(path) as server:
        assert server.notice == ""


def test_an_older_file_is_copied_and_upgraded(old):
    before = rows(old)
    with Server(old) as server:
        wire = Wire(server)
        (asset,) = wire.get("/assets")["iterable"]
        assert asset["name"] == "old.py"
        assert [tag["text"] for tag in wire.get("/tags")["iterable"]] == ["tides"]
        assert len(wire.get("/assets/search?query=tides")["iterable"]) == 1
        notice = server.notice
    (kept,) = old.parent.glob("pieces.db.version-0.*")
    assert notice == f"The database {old} was upgraded from version 0 to {len(upgrades.STEPS)}; as it was: {kept}"
    assert pragma(old, "user_version") == len(upgrades.STEPS)
    assert pragma(kept, "user_version") == 0
    assert before
    assert rows(kept) == before
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_an_upgrade_is_done_once(old):
    for _ in range(2):
        with Server(old):
            pass
    assert len(list(old.parent.glob("pieces.db.version-0.*"))) == 1


def test_steps_are_taken_in_their_order_and_an_upgrade_that_fails_changes_nothing(old, monkeypatch):
    def add(connection):
        connection.exec_driver_sql("ALTER TABLE material ADD COLUMN colour TEXT")
        connection.exec_driver_sql("UPDATE material SET colour = 'blue'")

    def fail(connection):
        connection.exec_driver_sql("DELETE FROM material")
        connection.exec_driver_sql("SELECT 1 FROM nowhere")

    monkeypatch.setattr(upgrades, "STEPS", (*upgrades.STEPS, add, fail))
    with pytest.raises(NotRunningError, match=r"cannot be opened: no such table: nowhere"):
        Server(old).start()
    assert pragma(old, "user_version") == 0
    assert list(old.parent.glob("pieces.db.version-0.*")) == []
    monkeypatch.setattr(upgrades, "STEPS", upgrades.STEPS[:-1])
    with Server(old) as server:
        assert len(Wire(server).get("/assets")["iterable"]) == 1
    assert pragma(old, "user_version") == len(upgrades.STEPS)
    with closing(sqlite3.connect(old)) as opened:
        assert opened.execute("SELECT DISTINCT colour FROM material").fetchall() == [("blue",)]


def test_the_copy_of_an_older_file_stays_when_the_upgrade_has_reached_the_disk(old, monkeypatch):
    def fail(_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Store, "_begin_use", fail)
    with pytest.raises(NotRunningError, match="the disk fails"):
        Server(old).start()
    assert pragma(old, "user_version") == len(upgrades.STEPS)
    (kept,) = old.parent.glob("pieces.db.version-0.*")
    assert pragma(kept, "user_version") == 0


def test_an_older_file_that_cannot_be_copied_is_left_alone(old, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_copy_pages", full)
    before = old.read_bytes()
    with pytest.raises(NotRunningError, match=r"cannot be copied to .* No space left .* It was not touched\."):
        Server(old).start()
    assert old.read_bytes() == before
    assert {file.name for file in old.parent.iterdir()} == {"pieces.db", "pieces.db.lock"}


def test_a_newer_file_is_refused_with_a_sentence(old):
    with closing(sqlite3.connect(old)) as opened:
        opened.execute("PRAGMA user_version = 99")
        opened.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        # A newer version may call its tables what it likes.
        opened.execute("ALTER TABLE material RENAME TO materials")
    before = old.read_bytes()
    with pytest.raises(NotRunningError, match=r"is of version 99, made by a newer pieces_orm; .* Install the newer"):
        Server(old).start()
    assert old.read_bytes() == before


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize(
    "tables", ["CREATE TABLE note(id)", "CREATE TABLE material(id, price)", "PRAGMA user_version = 3"]
)
def test_another_programs_database_is_refused_and_untouched(tmp_path, tables, mode):
    path = tmp_path / "notes.db"
    with closing(sqlite3.connect(path)) as opened:
        opened.execute(f"PRAGMA journal_mode = {mode}")
        opened.execute("PRAGMA application_id = 7")
        opened.execute(tables)
        opened.commit()
    before = path.read_bytes()
    with pytest.raises(NotRunningError, match=r"is not a Pieces database, .* It was not touched; name another file\."):
        Server(path).start()
    assert path.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} <= {"notes.db", "notes.db.lock"}


def test_a_text_file_is_refused_and_an_empty_file_is_filled(tmp_path):
    text, empty = tmp_path / "text", tmp_path / "empty"
    text.write_text("short")
    empty.touch()
    with pytest.raises(NotRunningError, match="it is not a SQLite file"):
        Server(text).start()
    assert text.read_text() == "short"
    with Server(empty) as server:
        Wire(server).make(KINDS["tag"])
    assert pragma(empty, "user_version") == len(upgrades.STEPS)


def test_a_second_server_on_a_file_is_refused_by_any_name_of_it(tmp_path):
    path = tmp_path / "db"
    names = [path]
    if os.name == "posix":
        names.append(tmp_path / "another name")
        names[1].symlink_to(path)
    with Server(path) as server:
        for name in names:
            with pytest.raises(NotRunningError, match=rf"{name.name} cannot be opened: another server has it open"):
                Server(name).start()
        Wire(server).make(KINDS["tag"])
        server.restart()
        assert len(Wire(server).get("/tags")["iterable"]) == 1
    with Server(path):
        pass


def test_beside_a_file_that_is_no_database_nothing_is_made(tmp_path):
    (tmp_path / "junk").write_text("hello")
    with pytest.raises(NotRunningError, match="It was not touched"):
        Server(tmp_path / "junk").start()
    assert [file.name for file in tmp_path.iterdir()] == ["junk"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_the_lock_dies_with_its_process_even_after_a_kill(tmp_path):
    with program(SERVE, tmp_path / "db") as running:
        running.stdout.readline()
        with pytest.raises(DatabaseLockedError, match="another server has it open") as caught:
            Server(tmp_path / "db").start()
        assert caught.value.database == str(tmp_path / "db")
        with pytest.raises(DatabaseLockedError, match="Use that server, stop it, or name another file"):
            pieces_orm.embedded(tmp_path / "db")
        running.send_signal(signal.SIGKILL)
        running.communicate()
    with Server(tmp_path / "db") as server:
        assert Wire(server).get("/tags")["iterable"] == []


def test_servers_in_memory_need_no_lock():
    with Server() as one, Server() as other:
        assert one.port != other.port


@pytest.mark.skipif(os.name != "posix", reason="hard links")
def test_a_file_with_other_names_is_refused_because_two_servers_could_have_it(tmp_path):
    path = tmp_path / "db"
    with Server(path):
        pass
    os.link(path, tmp_path / "another")
    for name in (path, tmp_path / "another"):
        with pytest.raises(NotRunningError, match="other names too"):
            Server(name).start()
    (tmp_path / "another").unlink()
    with Server(path):
        pass


def test_a_server_that_is_read_only_makes_and_upgrades_nothing(tmp_path):
    settings = Settings(read_only=True)
    with pytest.raises(NotRunningError, match="does not exist"):
        Server(tmp_path / "missing", settings=settings).start()
    path = tmp_path / "old"
    with Server(path):
        pass
    with closing(sqlite3.connect(path)) as old:
        old.executescript("PRAGMA user_version = 0; PRAGMA application_id = 0; PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    with pytest.raises(NotRunningError, match="must be upgraded"):
        Server(path, settings=settings).start()
    assert path.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} <= {"old", "old.lock", "old-wal", "old-shm"}


@pytest.mark.parametrize("path", [5, b"db", "a\0b", True])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(pieces_orm.InvalidValueError, match="The path of a database is a text"):
        pieces_orm.embedded(path)
