"""The options of `pieces-orm serve`."""

import json
import os
import signal
import socket
import stat
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect as open_stream

import pieces_orm
from pieces_orm.server import Server
from pieces_orm.transport import discovery
from tests.server.model_server import model_server
from tests.server.support import program, until

from .programs import run, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX does")


@contextmanager
def serving(*options, number=signal.SIGTERM, **changes):
    """A server; what it has said so far, its address, and a clean stop, with the signal unless there was one."""
    with started("serve", "--port", "0", *options, **changes) as program:
        said = []
        while not said or not said[-1].startswith("Press Ctrl-C"):
            line = program.stdout.readline()
            assert line, program.stderr.read()
            said.append(line.rstrip("\n"))
        program.said, program.url = said, said[0].split()[-1]
        yield program
        if number is not None:
            program.send_signal(number)
        assert program.wait(10) == 0
        assert program.stdout.read() == "The server has stopped.\n"
        program.errors = program.stderr.read()


def refuses(host, port):
    try:
        socket.create_connection((host, port)).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.xdist_group("machine")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_its_url_answers_and_stops_at_once(number):
    with started("serve", "--port", "0") as program:
        url = program.stdout.readline().removeprefix("Serving Pieces data at ").strip()
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
        "Database: NONE. WITHOUT --database FILE, ALL DATA IS LOST WHEN THE SERVER STOPS.\n"
        "Press Ctrl-C to stop.\n"
        "The server has stopped.\n"
    )
    assert seconds < 5


def test_serve_reports_the_version_of_pieces_that_it_is_told():
    with serving("--pieces-version", "12.6.0") as program:
        assert requests.get(f"{program.url}/.well-known/version", timeout=10).text == "12.6.0"
        seed = {"name": "VIM", "version": "1", "platform": "LINUX"}
        connected = requests.post(f"{program.url}/connect", json={"application": seed}, timeout=10).json()
        assert connected["health"]["os"]["version"] == "12.6.0"
    assert "--version" in run("--help").stdout  # the program's own


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


def test_without_a_port_the_next_free_one_is_taken_and_said():
    code = """
        import sys
        from pieces_orm.cli import main, serve
        serve.CURRENT_PORTS = [int(sys.argv.pop()), int(sys.argv.pop())]
        main.main()
    """
    with Server() as server:
        free = server.port
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        program(code, "serve", free, port := taken.getsockname()[1]) as running,
    ):
        said = [running.stdout.readline() for _ in range(2)]
        running.send_signal(signal.SIGTERM)
    assert said == [
        f"Serving Pieces data at http://127.0.0.1:{free}\n",
        f"Port {port} is in use. Programs that look for a Pieces server also try {free}.\n",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_under_way_is_finished_before_the_server_stops(tmp_path, number):
    with serving("--database", tmp_path / "db", number=None) as program:
        body = b'{"text": "late"}'
        host, port = program.url.removeprefix("http://").split(":")
        late = socket.create_connection((host, int(port)))
        late.sendall(b"POST /tags/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body))
        late.sendall(body[:5])
        # What is answered after it shows that the head was read before the signal.
        assert requests.get(f"{program.url}/tags", timeout=10).ok
        program.send_signal(number)
        until(lambda: refuses(host, int(port)))
        late.sendall(body[5:])
        with late.makefile("rb") as answer:
            assert b" 200 " in answer.readline()
            assert b'"late"' in answer.read()
        late.close()
    with pieces_orm.embedded(tmp_path / "db") as session:
        assert [tag.text for tag in session.tags.all()] == ["late"]


def test_no_port_file_is_written_and_nothing_is_logged_unless_asked_for(tmp_path):
    with serving(HOME=str(tmp_path)) as program:
        requests.get(f"{program.url}/tags", timeout=10)
        assert list(tmp_path.rglob("*")) == []
        assert not [line for line in program.said if "Port file" in line]
    assert program.errors == ""


def test_a_port_file_is_there_while_the_server_runs(tmp_path):
    path = tmp_path / "a folder" / "port"
    path.parent.mkdir()
    with serving("--port-file", path) as program:
        assert program.said[-2] == f"Port file: {path}"
        assert path.read_text() == program.url.rpartition(":")[2]
        assert [file.name for file in path.parent.iterdir()] == ["port"]
    assert not path.exists()


def test_the_standard_port_file_is_where_programs_look(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = discovery.port_file()
    with serving("--standard-port-file", HOME=str(tmp_path)) as program:
        assert path.read_text() == program.url.rpartition(":")[2]
        monkeypatch.delenv("PIECES_URL", raising=False)
        with pieces_orm.connect() as session:
            assert session.url == program.url
    assert not path.exists()


def test_a_port_file_that_another_server_has_written_stays(tmp_path):
    path = tmp_path / "port"
    with serving("--port-file", path):
        path.write_text("39301")
    assert path.read_text() == "39301"


def test_a_port_file_or_log_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    for option, what in (("--port-file", "port file"), ("--log", "log")):
        done = run("serve", "--port", "0", option, tmp_path / "file" / "x")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"pieces-orm: The {what} {tmp_path / 'file' / 'x'} cannot be written: ")
    missing = run("serve", "--port", "0", "--port-file", tmp_path / "folder" / "x")
    assert (missing.returncode, (tmp_path / "folder").exists()) == (1, False)


def test_each_request_is_a_line_of_json_when_asked_for(tmp_path):
    log = tmp_path / "log"
    with serving("--log", log) as program:
        url = program.url
        answer = requests.post(f"{url}/tags/create?secret=1", json={"text": "hidden"}, timeout=10)
        requests.get(f"{url}/%0Anothing", headers={"Authorization": "hidden"}, timeout=10)
        requests.get(f"{url}/tags", headers={"Host": "evil.example"}, timeout=10)
        with open_stream(url.replace("http", "ws") + "/tags/stream/identifiers", proxy=None) as stream:
            first = stream.recv(timeout=10)
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["method"], line["path"], line["status"], line.get("stream")) for line in lines] == [
        ("POST", "/tags/create", 200, None),
        ("GET", "/%0Anothing", 404, None),
        ("GET", "/tags", 421, None),
        ("GET", "/tags/stream/identifiers", 101, "open"),
        ("GET", "/tags/stream/identifiers", 101, "close"),
    ]
    assert lines[0]["bytes"] == len(answer.content)
    assert lines[-1]["bytes"] == len(first)
    for line in lines:
        assert line["time"].endswith("+00:00")
        assert line["client"].startswith("127.0.0.1:")
        assert line["ms"] >= 0
    assert "hidden" not in text
    assert "secret" not in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_dash_logs_to_standard_error():
    with serving("--log", "-") as program:
        requests.get(f"{program.url}/tags", timeout=10)
    (line,) = program.errors.splitlines()
    assert json.loads(line)["path"] == "/tags"


def test_a_read_only_server_refuses_writes_and_needs_a_database(tmp_path):
    with pieces_orm.embedded(tmp_path / "db") as session:
        kept = session.assets.create("x = 1", name="x.py").id
    with serving("--database", tmp_path / "db", "--read-only") as program, pieces_orm.connect(program.url) as session:
        assert program.said[1] == f"Database: {tmp_path / 'db'} (read-only)"
        asset = session.assets.get(kept)
        asset.name = "other.py"
        with pytest.raises(pieces_orm.NotAuthorizedError, match="read-only"):
            asset.save()


@pytest.mark.parametrize("by_environment", [True, False])
def test_a_token_is_required_from_everyone(by_environment):
    options, changes = ((), {"PIECES_ORM_TOKEN": "abc"}) if by_environment else (("--token", "abc"), {})
    with serving(*options, "--host", "0.0.0.0", **changes) as program:
        url = program.url.replace("0.0.0.0", "127.0.0.1")
        assert "abc" not in "".join(program.said)
        assert requests.get(f"{url}/tags", timeout=10).status_code == 401
        assert requests.get(f"{url}/tags", headers={"Authorization": "Bearer abc"}, timeout=10).status_code == 200


def test_origins_that_are_named_may_call():
    origins = ["app://obsidian.md", "vscode-webview://abc"]
    with serving(*(part for origin in origins for part in ("--allow-origin", origin))) as program:
        for origin, status in ((origins[0], 200), (origins[1], 200), ("app://other", 403)):
            answer = requests.get(f"{program.url}/tags", headers={"Origin": origin}, timeout=10)
            assert answer.status_code == status


def test_a_second_server_on_a_database_is_one_sentence_that_names_it(tmp_path):
    with serving("--database", tmp_path / "db"):
        done = run("serve", "--port", "0", "--database", tmp_path / "db")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"The database {tmp_path / 'db'} cannot be opened: another server has it open" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_log_that_cannot_be_written_later_is_one_sentence_and_requests_are_answered(tmp_path):
    with serving("--log", "/dev/full") as program:
        for _ in range(3):
            assert requests.get(f"{program.url}/tags", timeout=10).ok
    sentence = "The log /dev/full cannot be written: No space left on device. Requests are answered all the same."
    assert program.errors == f"pieces-orm: {sentence}\n"


def test_symbolic_links_in_a_loop_and_files_of_other_kinds_are_one_sentence(tmp_path):
    loop, pipe = tmp_path / "loop", tmp_path / "pipe"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    for arguments in (
        ("serve", "--port", "0", "--database", loop),
        ("serve", "--port", "0", "--database", loop, "--read-only"),
        ("serve", "--port", "0", "--log", loop),
        ("serve", "--port", "0", "--port-file", loop / "port"),
        ("backup", tmp_path / "copy", "--database", loop),
        ("serve", "--port", "0", "--database", pipe),
        ("serve", "--port", "0", "--database", pipe, "--read-only"),
        ("backup", tmp_path / "copy", "--database", pipe),
        ("serve", "--port", "0", "--database", "/dev/null"),
        ("serve", "--port", "0", "--database", tmp_path),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), (arguments, done.stderr)
    assert {file.name for file in tmp_path.iterdir()} == {"loop", "pipe"}


def test_what_was_done_to_a_database_is_said(tmp_path):
    with pieces_orm.embedded(tmp_path / "db"):
        pass
    (tmp_path / "db").chmod(0o644)
    with serving("--database", tmp_path / "db") as program:
        assert program.said[2] == (
            f"The database {tmp_path / 'db'} could be read by others on this machine (mode 644); "
            "now it can be read by its owner only."
        )


def test_questions_are_answered_by_the_model_whose_address_is_given():
    question = {"query": "How high?", "relevant": {"iterable": []}}
    with model_server() as model:
        with serving("--model-url", model.url, "--model", "tidal", PIECES_ORM_MODEL_KEY="sesame") as program:
            assert f"Questions are answered by tidal at {model.url}" in program.said
            answer = requests.post(f"{program.url}/qgpt/question", json=question, timeout=10).json()
        assert answer["answers"]["iterable"][0]["text"] == "It is high."
        assert [each["authorization"] for each in model.headers] == ["Bearer sesame", "Bearer sesame"]
    assert program.errors == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--model tidal", "--model tidal needs --model-url URL"),
        ("--model-url http://127.0.0.1:1/v1", "--model-url http://127.0.0.1:1/v1 needs --model NAME"),
        ("--model-url x --model tidal", "--model-url x is not an http address: pass one such as http://127"),
        ("--model-key sesame", "--model-key needs --model-url URL and --model NAME."),
        ("--allow-origin obsidian", "--allow-origin obsidian is not an origin: pass one such as app://obsidian.md"),
        ("--allow-origin app://a --allow-origin http://*", "--allow-origin http://* is not an origin"),
        ("--pieces-version 99", "--pieces-version 99 is not a version: pass one such as 12.3.0."),
        ("--pieces-version newest", "--pieces-version newest is not a version"),
        ("--host 0.0.0.0", "--host 0.0.0.0 needs --token: "),
        ("--token a\xa0b", "--token takes visible ASCII characters without spaces"),
        ("--read-only", "--read-only needs --database FILE"),
        ("--port-file x --standard-port-file", "--port-file cannot be combined with --standard-port-file."),
    ],
)
def test_an_option_that_cannot_be_used_is_wrong_usage_in_a_sentence_that_names_it(arguments, said):
    done = run("serve", "--port", "0", *arguments.split(" "), PIECES_ORM_TOKEN="")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith(f"pieces-orm: {said}")
    assert "sesame" not in done.stderr


def test_a_model_that_is_not_there_is_a_warning_and_a_key_in_the_environment_needs_no_model():
    with serving("--model-url", "http://127.0.0.1:9/v1", "--model", "tidal") as program:
        assert requests.get(f"{program.url}/tags", timeout=10).ok
    assert program.errors.startswith("pieces-orm: Warning: The model at http://127.0.0.1:9/v1 did not answer")
    assert program.errors.count("\n") == 1
    with serving(PIECES_ORM_MODEL_KEY="sesame") as program:
        pass
    assert program.errors == ""
