"""Programs that open a database beside the server that has it open: none of them costs it a write that it answered."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
import requests

from pieces_orm.errors import NotRunningError
from pieces_orm.server import Server, Settings
from pieces_orm.server.storage.open_files import Claim, InUseError
from pieces_orm.wire.kinds import KINDS
from tests.cli.programs import run
from tests.server.hammer import Remote, Writer, check_answered, check_integrity, check_whole, seed_of, serving
from tests.server.support import SERVE, Wire, ids, program, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only there is flock apart from SQLite's locks")

# A server, and in its process whatever else may open a database; a line each.
OPENERS = """
    import pathlib, sys
    import pieces_orm
    from pieces_orm.errors import NotRunningError
    from pieces_orm.server import Server, Settings
    from pieces_orm.server.storage import backup, database
    path = pathlib.Path(sys.argv[1])

    def refused(opener):
        try:
            opener()
        except NotRunningError as error:
            assert "another server has it open" in str(error), error
        else:
            raise AssertionError("it was opened twice")

    link = path.with_name("another name")
    link.symlink_to(path)
    openers = {
        "server": lambda: refused(Server(path).start),
        "embedded": lambda: refused(lambda: pieces_orm.embedded(path)),
        "another name": lambda: refused(Server(link).start),
        "read-only": lambda: refused(Server(path, settings=Settings(read_only=True)).start),
        "version": lambda: database.read_version(path),
        "backup": lambda: backup.copy(path, path.with_name("copy"), force=True),
        "what no program must do": path.read_bytes,
    }
    with Server(path) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            openers[line.strip()]()
            print("done", flush=True)
"""


def use_and_close(path):
    """Do what any other program does with a database; the last one to close it removes its log."""
    with closing(sqlite3.connect(path)) as database:
        return {id for (id,) in database.execute("SELECT id FROM material WHERE kind = 'tag'")}


def test_no_second_opener_in_the_process_of_a_server_costs_it_an_answered_write(tmp_path):
    path = tmp_path / "db"
    running = program(OPENERS, path, stdin=subprocess.PIPE)
    url, answered = running.stdout.readline().strip(), set()
    for opener in ("server", "embedded", "another name", "read-only", "version", "backup"):
        for _ in range(2):
            answered.add(requests.post(f"{url}/tags/create", json={"text": "t"}, timeout=10).json()["id"])
            print(opener, file=running.stdin, flush=True)
            assert running.stdout.readline() == "done\n", (opener, running.stderr.read())
            assert use_and_close(path) == answered, opener
    print("what no program must do", file=running.stdin, flush=True)
    assert running.stdout.readline() == "done\n"
    assert use_and_close(path) == answered
    lost = requests.post(f"{url}/tags/create", json={"text": "t"}, timeout=10)
    assert (lost.status_code, "database log (-wal) is gone" in lost.text) == (503, True)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    with Server(path) as server:
        assert set(ids(Wire(server).get("/tags"))) == answered


def test_writes_answered_beside_backups_survive_a_kill_and_are_in_backups_made_after_them(tmp_path):
    path, copy = tmp_path / "db", tmp_path / "copy"
    with serving(path) as (running, url):
        seed = seed_of(url)
        writers = [Writer(url, seed, random.Random(life)) for life in range(2)]
        for writer in writers:
            writer.start()
        for turn in range(2):
            until(lambda turn=turn: sum(writer.answers for writer in writers) > 20 * turn)
            before = [tag for writer in writers for tag in list(writer.tags)]
            assert run("serve", "--port", "0", "--database", path).returncode == 1
            assert run("backup", copy, "--database", path, "--force").returncode == 0
            assert set(before) <= use_and_close(copy)
            use_and_close(path)
        running.send_signal(signal.SIGKILL)
        running.wait(10)
        for writer in writers:
            writer.join(20)
    with Server(path) as server:
        for writer in writers:
            check_answered(Remote(server.url), writer)
        check_whole(Remote(server.url))
    check_integrity(path)


@contextmanager
def bound(source, target):
    """A file under a second name in another folder, as containers mount files."""
    target.parent.mkdir()
    target.touch()
    if subprocess.run(["mount", "--bind", source, target], capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount")
    try:
        yield target
    finally:
        subprocess.run(["umount", target], check=True)


@linux
def test_a_second_server_on_a_file_that_is_mounted_under_another_name_is_refused(tmp_path):
    with Server(tmp_path / "db") as server, bound(tmp_path / "db", tmp_path / "container" / "db") as mounted:
        Wire(server).make(KINDS["tag"])
        with pytest.raises(NotRunningError, match="another server has it open"):
            Server(mounted).start()
        out, errors = program(SERVE, mounted).communicate(timeout=20)
        assert out == ""
        assert "another server has it open" in errors
        assert list(mounted.parent.iterdir()) == [mounted], "nothing was made beside it"
        Wire(server).make(KINDS["tag"])
    check_integrity(tmp_path / "db")


CLAIMS = """
    import pathlib, sys
    from pieces_orm.server.storage.open_files import Claim, InUseError
    for line in sys.stdin:
        try:
            claim = Claim(pathlib.Path(sys.argv[1]), create=False, shared=line == "shared\\n")
            print("claimed", flush=True)
        except InUseError:
            print("refused", flush=True)
        else:
            sys.stdin.readline()
            claim.release()
            print("released", flush=True)
"""


@linux
def test_claims_of_all_processes_on_an_inode_exclude_each_other_unless_they_are_shared(tmp_path):
    path, link = tmp_path / "db", tmp_path / "link"
    ours = [Claim(path, create=True, shared=True), Claim(path, create=False, shared=True)]
    os.link(path, link)
    with program(CLAIMS, link, stdin=subprocess.PIPE) as other:

        def tell(what):
            print(what, file=other.stdin, flush=True)
            return other.stdout.readline().strip()

        with pytest.raises(InUseError):
            Claim(link, create=False, shared=False)
        assert tell("exclusive") == "refused"
        assert tell("shared") == "claimed"
        for claim in ours:
            claim.release()
        with pytest.raises(InUseError):
            Claim(path, create=False, shared=False)
        assert tell("release") == "released"
        claim = Claim(path, create=False, shared=False)
        assert tell("shared") == tell("exclusive") == "refused"
        claim.release()
        assert tell("exclusive") == "claimed"
        other.communicate("")


@linux
def test_a_forked_child_does_not_keep_the_database_of_a_parent_that_is_gone(tmp_path):
    code = """
        import os, sys, warnings
        from pieces_orm.server import Server
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads
        server = Server(sys.argv[1])
        server.start()
        ours, childs = os.pipe()
        if os.fork():
            os.read(ours, 1)
            print("forked", flush=True)
            os.kill(os.getpid(), 9)
        os.write(childs, b"x")
        sys.stdin.read()
        os._exit(0)
    """
    running = program(code, tmp_path / "db", stdin=subprocess.PIPE)
    assert running.stdout.readline() == "forked\n"
    assert running.wait(10) == -signal.SIGKILL
    with Server(tmp_path / "db") as server:
        assert Wire(server).get("/tags")["iterable"] == []
    running.communicate("")


@linux
def test_a_forked_child_can_stop_the_server_of_its_parent_which_goes_on(tmp_path):
    code = """
        import os, sys, warnings
        from pieces_orm.server import Server
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads
        with Server(sys.argv[1]) as server:
            child = os.fork()
            if child:
                print(os.waitpid(child, 0)[1], server.url, flush=True)
                sys.stdin.read()
    """
    running = program(code, tmp_path / "db", stdin=subprocess.PIPE)
    status, url = running.stdout.readline().split()
    assert status == "0"
    assert requests.post(f"{url}/tags/create", json={"text": "after"}, timeout=10).ok
    with pytest.raises(NotRunningError, match="another server has it open"):
        Server(tmp_path / "db").start()
    running.communicate("")


def test_a_read_that_outlives_its_server_keeps_the_file_locked_and_lets_the_next_server_here_in(tmp_path):
    first, path = Server(tmp_path / "db"), tmp_path / "db"
    first.start()
    tag = Wire(first).make(KINDS["tag"])["id"]
    with first._store.read() as reader:
        first.stop()
        with Server(path) as second:
            use_and_close(path)
            assert ids(Wire(second).get("/tags")) == [tag]
        assert reader.ids("tag") == [tag]
    assert not path.with_name("db-wal").exists()


def test_two_servers_that_only_read_share_a_file_and_keep_a_writer_out(tmp_path):
    path, settings = tmp_path / "db", Settings(read_only=True)
    with Server(path) as server:
        tag = Wire(server).make(KINDS["tag"])["id"]
    with Server(path, settings=settings) as one, Server(path, settings=settings) as other:
        assert ids(Wire(one).get("/tags")) == ids(Wire(other).get("/tags")) == [tag]
        with pytest.raises(NotRunningError, match="another server has it open"):
            Server(path).start()
    with Server(path):
        pass
