"""Running `pieces-orm` as a program of its own."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "pieces_orm.cli.main"]


def environment(**changes):
    # FORCE_COLOR is set on purpose: output that goes to a file stays plain all the same.
    return {**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "COLUMNS": "80", **changes}


def run(*arguments, **changes):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=50, check=False, env=environment(**changes),
    )  # fmt: skip


@contextmanager
def started(*arguments, **changes):
    """A program that runs until the block is left."""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment(**changes),
    ) as program:  # fmt: skip
        try:
            yield program
        finally:
            program.kill()
