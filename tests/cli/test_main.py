"""The commands, their help and their exit codes."""

import os

import pytest

import pieces_orm
from pieces_orm.cli.errors import CommandError, StoppedError

from .programs import ROOT, run, run_program


def test_without_a_command_the_help_is_shown_and_the_usage_is_wrong():
    done = run()
    shown = done.stdout + done.stderr
    assert done.returncode == 2
    assert "serve   Run the embedded server until Ctrl-C." in shown
    assert "backup  Copy a database, even while a server uses it." in shown
    assert "demo    Turn files into materials, work with them, and delete them again." in shown


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
        ("demo", ["--url", "--token", "--database"]),
    ],
)  # fmt: skip
def test_each_command_has_help_on_each_option(command, options):
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [option for option in options if f"  {option} " not in done.stdout] == []


def test_the_help_of_serve_has_examples_that_can_be_copied():
    shown = run("serve", "--help").stdout
    assert (
        "\n    pieces-orm serve --database my-pieces.db --model-url http://127.0.0.1:11434/v1 --model llama3.2" in shown
    )


def test_version_is_that_of_the_package():
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pieces-orm ")


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["demo"]])
def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path, command):
    broken = tmp_path / "broken.db"
    broken.write_text("not a database\n" * 100)
    done = run(*command, "--database", broken)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"pieces-orm: The database {broken} cannot be opened: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("missing", "command", "code", "extra"),
    [
        ("typer", "demo", 2, "[cli,server]"),
        ("rich", "demo", 2, "[cli,server]"),
        ("uvicorn", "serve", 1, "[cli,server]"),
        ("sqlalchemy", "demo", 1, "[server]"),
    ],
)
def test_an_extra_that_is_missing_is_named_in_one_sentence(tmp_path, missing, command, code, extra):
    absent = tmp_path / missing
    absent.mkdir()
    (absent / "__init__.py").write_text(f"raise ModuleNotFoundError('No module named {missing}', name={missing!r})\n")
    done = run_program(command, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert missing in done.stderr
    assert f"pip install 'pieces_orm{extra}'" in done.stderr


def test_the_errors_of_the_command_line_are_errors_of_the_package():
    assert issubclass(StoppedError, CommandError)
    assert issubclass(CommandError, pieces_orm.PiecesError)
