import os
import signal
import socket
import subprocess
import sys
import time

import pytest

import pieces_orm

from .programs import environment, run, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX does")


def test_without_a_command_the_help_is_shown():
    done = run()
    shown = done.stdout + done.stderr
    assert "serve   Run the embedded server until Ctrl-C." in shown
    assert "backup  Copy a database, also while a server runs on it." in shown
    assert "demo    Turn files into assets, work with them, and delete what was made." in shown


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            "serve",
            [
                "--port", "--host", "--database", "--token", "--read-only", "--allow-origin", "--log", "--port-file",
                "--standard-port-file",
            ],
        ),
        ("backup", ["--database", "--force"]),
        ("demo", ["--url", "--database"]),
    ],
)  # fmt: skip
def test_each_command_has_help_on_each_option(command, options):
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [option for option in options if f"  {option} " not in done.stdout] == []


def test_version_is_that_of_the_package():
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pieces-orm ")


@pytest.mark.xdist_group("machine")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_its_url_answers_and_stops_at_once(number):
    with started("serve", "--port", "0") as program:
        url = program.stdout.readline().removeprefix("Pieces data is served at ").strip()
        with pieces_orm.connect(url) as session:
            session.assets.create("x = 1", name="x.py")
            # A stream that is open must not keep the server from stopping.
            with session.watch(pieces_orm.Asset).wait_live():
                asked = time.monotonic()
                program.send_signal(number)
                program.wait(10)
                seconds = time.monotonic() - asked
        out, errors = program.stdout.read(), program.stderr.read()

    assert (program.returncode, errors) == (0, "")
    assert out == (
        "Database: NONE. EVERYTHING IS KEPT IN MEMORY AND LOST WHEN THIS SERVER STOPS.\n"
        "          Use --database FILE to keep it.\n"
        "Ctrl-C stops the server.\n"
        "The server has stopped.\n"
    )
    assert seconds < 2


def test_serve_keeps_its_data_in_the_file_that_is_named(tmp_path):
    database = tmp_path / "my-pieces.db"
    with started("serve", "--port", "0", "--database", database) as program:
        url = program.stdout.readline().split()[-1]
        assert program.stdout.readline() == f"Database: {database}\n"
        with pieces_orm.connect(url) as session:
            kept = session.assets.create("x = 1", name="x.py").id
        program.send_signal(signal.SIGTERM)
        assert program.wait(10) == 0
    with pieces_orm.embedded(database) as session:
        assert session.assets.get(kept).text == "x = 1"


def test_a_port_that_is_taken_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"pieces-orm: The embedded server cannot listen on 127.0.0.1, port {port}: Address already in use. "
        "Choose another port, or 0 for any free one.\n"
    )


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["demo"]])
def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path, command):
    broken = tmp_path / "broken.db"
    broken.write_text("this is no database, whatever its name says\n" * 100)
    done = run(*command, "--database", broken)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"pieces-orm: The database {broken} cannot be opened: ")
    assert done.stderr.count("\n") == 1


def test_a_demo_on_a_running_server_takes_no_database(tmp_path):
    done = run("demo", "--url", "http://127.0.0.1:9", "--database", tmp_path / "x.db")
    assert done.returncode == 2
    assert "--database: it is for the demo's own server, and --url names another: give one of them." in done.stderr


@pytest.mark.parametrize(
    ("missing", "command", "code", "sentence"),
    [
        (
            "typer", ["demo"], 2,
            "The command line is an extra (typer is missing): pip install 'pieces_orm[cli,server]'.",
        ),
        (
            "rich", ["demo"], 2,
            "The command line is an extra (rich is missing): pip install 'pieces_orm[cli,server]'.",
        ),
        (
            "uvicorn", ["serve"], 1,
            "The embedded server is an extra (uvicorn is missing): pip install 'pieces_orm[server]'.",
        ),
        (
            "sqlalchemy", ["demo"], 1,
            "The embedded server is an extra (sqlalchemy is missing): pip install 'pieces_orm[server]'.",
        ),
    ],
)  # fmt: skip
def test_an_extra_that_is_missing_is_named_in_one_sentence(tmp_path, missing, command, code, sentence):
    absent = tmp_path / missing
    absent.mkdir()
    (absent / "__init__.py").write_text(f"raise ModuleNotFoundError('no', name={missing!r})\n")
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "pieces_orm.cli.main", *command],
        capture_output=True, text=True, check=False, timeout=20, env=environment(PYTHONPATH=path),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"pieces-orm: {sentence}\n")
