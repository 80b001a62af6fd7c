import os
import re
import signal
import sqlite3
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

import pieces_orm
from pieces_orm import Anchor, Asset, Tag, Website, WorkstreamEvent, WorkstreamSummary
from pieces_orm.cli.demo.run import PACKAGE, demo
from pieces_orm.cli.demo.scenario import Scenario
from pieces_orm.server import Server, Settings

from ..programs import run, run_program, started

KINDS = (Asset, Anchor, Website, Tag, WorkstreamEvent, WorkstreamSummary)

BEFORE = """\
Server: http://127.0.0.1:PORT (embedded, data in memory)
Input: 3 files under FOLDER
Skipped: binary (1), empty (1), folders (1), hidden (1)
Creating assets: 3
Creating anchors: 2
Creating websites: 2
Creating tags: 2
Associating assets: 3
Associating event and summary: 16
Search for 'height': 2 assets; best: NAME (SCORE), NAME (SCORE)
Search for 'height' in py among the files of this run: 2 assets; best: NAME (SCORE), NAME (SCORE)
The second session received 10 of 10 new materials by itself.
Renaming 'app.py' to 'app (renamed).py'.
Deleting what was created: 11
"""

AFTER = """\
materials          created  reused  deleted
assets                   3       0        3
anchors                  2       0        2
websites                 2       0        2
tags                     2       0        2
workstream events        1       0        1
summaries                1       0        1
total                   11       0       11

25 associations and N requests (N by the second session) in N seconds.
Everything that the demo created is deleted again.
"""


def plain(text, folder):
    """The output with what differs from run to run replaced."""
    text = text.replace(str(folder), "FOLDER")
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"'[\w./-]+' \(\d\.\d\d\)", "NAME (SCORE)", text)
    return re.sub(r"[\d.]+ (requests|by the second session|seconds)", r"N \1", text)


def ids(session):
    return {cls.__name__: set(session[cls].ids()) for cls in (*KINDS, pieces_orm.AnchorPoint, pieces_orm.Annotation)}


def test_the_demo_says_what_it_did_in_plain_lines(folder):
    done = run_program("demo", folder)

    assert (done.returncode, done.stderr) == (0, "")
    before, heading, rest = plain(done.stdout, folder).partition("The second session received, on its streams:\n")
    heard, _, after = rest.partition("\n\n")
    assert (before, heading != "", after) == (BEFORE, True, AFTER)
    assert "  changed asset 'app.py': its name is now 'app (renamed).py'\n" in heard
    assert re.search(r"^  created asset '(app.py|tide.py|docs/read.md)'$", heard, re.MULTILINE)
    assert re.search(r"^  associated .* with .*$", heard, re.MULTILINE)
    assert "  ... 10 deleted in all" in heard, "all but the workstream event, which has no stream"


def test_output_that_is_no_terminal_has_no_control_characters(folder):
    (folder / "be\x1bll [red]:smile:.txt").write_text("text\n")
    done = run("demo", folder)

    assert done.returncode == 0, done.stderr
    assert [char for char in done.stdout if not char.isprintable() and char != "\n"] == []
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX's")
@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_gets_bars_and_colours_unless_it_wants_none(folder, no_color):
    out = in_terminal("demo", folder / "docs", NO_COLOR="1" if no_color else "", TERM="xterm")

    assert re.search(r"Creating assets .*━.*1/1", out)
    assert "Creating assets: 1" not in out
    assert bool(re.search(r"\x1b\[3\d|\x1b\[38;", out)) is not no_color
    assert "Everything that the demo created is deleted again." in out


def in_terminal(*arguments, **changes):
    """What a command shows on a terminal."""
    import pty

    ours, its = pty.openpty()
    with started(*arguments, stdout=its, **changes) as program:
        os.close(its)
        shown = b""
        # Linux ends the stream with an error, macOS with nothing.
        with suppress(OSError):
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
        assert (program.wait(20), program.stderr.read()) == (0, "")
    return shown.decode()


def test_a_terminal_that_knows_only_ascii_gets_question_marks_for_other_letters(folder):
    (folder / "flóð.txt").write_text("text\n")
    done = run_program("demo", folder / "flóð.txt", PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert "Renaming 'fl??.txt' to 'fl?? (renamed).txt'." in done.stdout


def test_with_url_the_demo_leaves_nothing_behind_and_touches_nothing(folder, pieces, pieces_server):
    tag = pieces.tags.create("py")
    website = pieces.websites.create("https://example.org/moon")
    anchor = pieces.anchors.create(folder)
    note = pieces.assets.create("the height of the moon", name="mine", tags=[tag], websites=[website])
    note.associate(anchor)
    before, documents = ids(pieces), [each.refresh().raw() for each in (tag, website, anchor, note)]

    done = run("demo", folder, "--url", pieces_server.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert ids(pieces) == before
    after = [each.refresh().raw() for each in (tag, website, anchor, note)]
    assert [without_times(each) for each in after] == [without_times(each) for each in documents]
    assert table(done.stdout) == {
        "assets": [3, 0, 3],
        "anchors": [1, 1, 1],
        "websites": [1, 1, 1],
        "tags": [1, 1, 1],
        "workstream events": [1, 0, 1],
        "summaries": [1, 0, 1],
        "total": [8, 3, 8],
    }


def without_times(document):
    """A document without when it was last changed: associating and letting go of it are changes."""
    if isinstance(document, dict):
        return {key: without_times(value) for key, value in document.items() if key not in ("updated", "score")}
    return [without_times(each) for each in document] if isinstance(document, list) else document


def table(output):
    rows = re.findall(r"^([a-z ]+?) {2,}(\d+) +(\d+) +(\d+)$", output, re.MULTILINE)
    return {name: [int(number) for number in numbers] for name, *numbers in rows}


def test_with_database_the_file_stays_usable_and_holds_nothing_of_the_demo(folder, tmp_path):
    database = tmp_path / "my-pieces.db"
    with pieces_orm.embedded(database) as session:
        kept = session.assets.create("kept", name="kept").id

    done = run("demo", folder, "--database", database)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"data in {database}" in done.stdout
    with pieces_orm.embedded(database) as session:
        assert session.assets.ids() == (kept,)
        assert {name: found for name, found in ids(session).items() if found and name != "Asset"} == {}
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_a_single_file_is_input_enough_even_a_hidden_one(folder):
    done = run("demo", folder / ".secret")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"Input: 1 file under {folder / '.secret'}\n" in done.stdout
    assert table(done.stdout)["assets"] == [1, 0, 1]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nowhere", "Cannot read 'nowhere': No such file or directory. Name a file or a folder."),
        ("logo.png", "There is no text file to work on in 'logo.png'. Skipped: binary (1)."),
        ("__pycache__", "There is no text file to work on in '__pycache__'. Skipped: binary (1)."),
    ],
)
def test_a_path_without_input_is_refused_in_one_sentence(folder, monkeypatch, path, sentence):
    monkeypatch.chdir(folder)
    done = run("demo", path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"pieces-orm: {sentence}\n")


@pytest.mark.slow
def test_a_server_with_a_token_is_worked_with_by_option_or_environment(folder):
    with Server(settings=Settings(token="s3cret")) as server:
        refused = run("demo", folder, "--url", server.url)
        assert (refused.returncode, "--token" in refused.stderr) == (1, True)
        done = run("demo", folder, "--url", server.url, PIECES_ORM_TOKEN="s3cret")
        assert done.returncode == 0, done.stderr


def test_a_url_without_a_server_is_refused_in_one_sentence(folder):
    done = run("demo", folder, "--url", "http://127.0.0.1:9")
    sentence = "pieces-orm: No Pieces server is ready at http://127.0.0.1:9: refused. "
    remedy = "Run `pieces-orm serve`, or omit --url.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence + remedy)


def test_a_run_that_fails_half_way_cleans_up_and_says_why(folder, pieces, pieces_server):
    pieces_server.faults.answer(500, times=1000, body=b"the disk is full", path="/workstream_events/create")

    done = run("demo", folder, "--url", pieces_server.url)

    assert done.returncode == 1
    assert done.stderr == (
        "pieces-orm: POST /workstream_events/create: the server failed (status 500: the disk is full).\n"
    )
    assert done.stdout.endswith("Deleting what was created: 9\n")
    assert {name: found for name, found in ids(pieces).items() if found} == {}


def test_what_cannot_be_deleted_is_named(folder, pieces, pieces_server):
    def lock(_, *, entity, **about):
        pieces_server.faults.answer(500, times=10, body=b"locked", path=f"/tags/{entity.id}/delete")

    pieces.signals.created.connect(lock, sender=Tag)
    pieces_server.faults.delay(0.3, path="/workstream_events/create")
    with pieces.watch(Tag).wait_live():
        done = run("demo", folder / "tide.py", "--url", pieces_server.url)

    (left,) = pieces.tags.all()
    assert done.returncode == 1
    assert done.stderr == (
        "pieces-orm: 1 material could not be deleted, or not verified as deleted:\n"
        f"pieces-orm: - tag 'py' {left.id}\n"
        "pieces-orm: 1 material could not be deleted: see above.\n"
    )
    assert {name for name, found in ids(pieces).items() if found} == {"Tag"}


def test_what_a_lost_answer_may_have_made_is_named(folder, pieces, pieces_server):
    pieces_server.faults.cut_body(path="/workstream_summaries/create")

    done = run("demo", folder / "tide.py", "--url", pieces_server.url)

    (stray,) = pieces.summaries.all()
    assert done.returncode == 1
    assert "pieces-orm: 1 material appeared meanwhile and may be from this demo:\n" in done.stderr
    assert f"pieces-orm: - workstream_summary 'A run of pieces-orm demo over 1 file' {stray.id}\n" in done.stderr
    assert {name for name, found in ids(pieces).items() if found} == {"WorkstreamSummary"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX does")
def test_a_second_stop_ends_the_cleaning_up_and_names_what_is_left(folder, pieces, pieces_server):
    gone = threading.Event()
    pieces.signals.deleted.connect(lambda *_, **__: gone.set(), weak=False)
    pieces_server.faults.answer(500, path="/workstream_events/create")
    with pieces.watch(Tag, Asset).wait_live():
        pieces.signals.created.connect(
            lambda sender, entity, **_: pieces_server.faults.delay(1, path=f"/assets/{entity.id}/delete"),
            sender=Asset, weak=False,
        )  # fmt: skip
        with started("demo", folder, "--url", pieces_server.url) as program:
            assert gone.wait(10)
            program.send_signal(signal.SIGINT)
            program.send_signal(signal.SIGTERM)
            program.wait(10)
            errors = program.stderr.read()

    assert program.returncode == 130
    named = re.findall(r"^pieces-orm: - (asset) '.*' (\S+)$", errors, re.MULTILINE)
    assert {id for _, id in named} >= set(pieces.assets.ids())
    assert named, errors


@pytest.mark.xdist_group("machine")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX does")
def test_a_run_that_is_stopped_cleans_up(folder, pieces, pieces_server, number):
    made = threading.Event()
    pieces.signals.created.connect(lambda *_, **__: made.set(), weak=False)
    with pieces.watch(Asset).wait_live():
        pieces_server.faults.delay(1, times=1000, path="/assets/create")
        with started("demo", folder, "--url", pieces_server.url) as program:
            assert made.wait(10)
            program.send_signal(number)
            out, errors = program.communicate(timeout=20)

    assert (program.returncode, errors) == (130, "pieces-orm: Stopped.\n")
    assert re.search(r"Deleting what was created: [12]\n", out)
    assert {name: found for name, found in ids(pieces).items() if found} == {}


def test_a_reader_that_leaves_does_not_keep_the_demo_from_cleaning_up(folder, pieces, pieces_server):
    with started("demo", folder, "--url", pieces_server.url) as program:
        program.stdout.readline()
        program.stdout.close()
        assert program.wait(20) == 0
        assert program.stderr.read() == ""
    assert {name: found for name, found in ids(pieces).items() if found} == {}


def test_what_a_server_had_already_is_not_taken_for_made(folder, pieces, pieces_server, monkeypatch):
    """A server may answer a creation with a material that it has: deleting that would take somebody's data."""
    mine = pieces.assets.create("mine", name="mine")
    answered = pieces.request("GET", f"/assets/{mine.id}")
    pieces_server.faults.answer(200, body=answered, path="/assets/create")

    done = run("demo", folder, "--url", pieces_server.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert pieces.assets.ids() == (mine.id,)
    assert mine.refresh().name == "mine"
    assert table(done.stdout)["assets"] == [2, 1, 2]


@pytest.mark.parametrize("step", ["create_assets", "associate_assets", "search", "rename"])
def test_any_step_may_fail_and_nothing_stays(folder, pieces, pieces_server, monkeypatch, capsys, step):
    def fail(self):
        raise ZeroDivisionError

    monkeypatch.setattr(Scenario, step, fail)
    with pytest.raises(ZeroDivisionError):
        demo(folder, pieces_server.url)
    assert {name: found for name, found in ids(pieces).items() if found} == {}


def test_a_demo_on_a_running_server_takes_no_database(tmp_path):
    done = run("demo", "--url", "http://127.0.0.1:9", "--database", tmp_path / "x.db")
    assert done.returncode == 2
    assert "--database cannot be combined with --url." in done.stderr


def test_without_a_path_the_demo_reads_the_source_of_the_package():
    assert Path(pieces_orm.__file__).parent == PACKAGE
