"""`.ci/check`, as far as it can be run within a test."""

import os
import shutil
import subprocess
import sys

import pytest

from .sources import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / ".ci").is_dir() or os.name == "nt", reason="needs the folder .ci and bash")


def check(folder, *arguments, **environment):
    return subprocess.run(
        [folder / ".ci" / "check", *arguments],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip


def test_without_an_environment_it_says_how_to_make_one(tmp_path):
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    done = check(tmp_path)
    assert done.returncode == 2
    assert "neither an active one nor .venv has ruff and pytest" in done.stderr
    assert "pip install -e '.[all,test]'" in done.stderr


def test_a_folder_that_is_not_there_is_named_beside_those_that_are():
    done = check(ROOT, "nowhere", VIRTUAL_ENV=sys.prefix)
    assert done.returncode == 2
    assert "There is no folder tests/nowhere. There are:" in done.stderr
    assert " meta " in done.stderr
    assert "__pycache__" not in done.stderr
