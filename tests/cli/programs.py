"""Run `pieces-orm`, in this process or in one of its own."""

import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

from pieces_orm.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "pieces_orm"]


def environment(**changes):
    # FORCE_COLOR is set on purpose: output that goes to a file stays plain all the same.
    return {**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "COLUMNS": "80", **changes}


def run(*arguments, **changes):
    """Run a command in this process, from its entry point to its exit: quick, for commands that end by themselves."""
    out, errors = StringIO(), StringIO()
    code = None
    with (
        mock.patch.dict(os.environ, environment(**changes)),
        mock.patch.object(sys, "argv", ["pieces-orm", *map(str, arguments)]),
        redirect_stdout(out), redirect_stderr(errors),
    ):  # fmt: skip
        try:
            main()
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), errors.getvalue())


def run_program(*arguments, **changes):
    """Run a command as a program, whose output goes to pipes."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=50, check=False, env=environment(**changes),
    )  # fmt: skip


@contextmanager
def started(*arguments, stdout=subprocess.PIPE, **changes):
    """A program that runs until the block is left."""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=stdout, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment(**changes),
    ) as program:  # fmt: skip
        try:
            yield program
        finally:
            program.kill()
