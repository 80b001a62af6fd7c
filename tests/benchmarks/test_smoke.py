"""The benchmarks run; what they measure fails nothing."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.programs import ROOT

pytestmark = pytest.mark.xdist_group("machine")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_quick_benchmarks_run_and_write_their_figures(tmp_path):
    file = tmp_path / "figures.json"
    # Measuring coverage would double the time of what is timed here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick", "--json", str(file)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=230, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert {row["#"] for row in figures["goals"]} == {f"P{n}" for n in range(1, 17)}
    assert [row["watchers"] for row in figures["live"]] == [1, 10]
    assert figures["load"][0]["errors"] == 0
    assert "changes per second" in done.stdout


def test_an_unknown_theme_is_refused_by_name():
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "nothing"],
        cwd=ROOT, capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no theme nothing; there are goals, live, load" in done.stderr
