"""No regular expression of the package takes longer than in proportion to the text, whatever the text is."""

import subprocess
import sys
import threading

from .patterns import NOT_FOR_TEXTS, PACKAGE


def measured(*patterns, within_s=40):
    """Return the slow patterns; a search that does not come back can only be killed with its process."""
    command = [sys.executable, "-m", "tests.meta.patterns", *patterns]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline()]
        watchdog = threading.Timer(within_s, process.kill)
        watchdog.start()
        lines += process.stdout
        watchdog.cancel()
    assert lines[0].startswith("measuring")
    if process.wait() != 0:
        return [f"SLOW for ever {lines[-1]}"]
    return [line for line in lines if line.startswith("SLOW")]


def test_every_regular_expression_takes_linear_time_on_texts_made_for_it():
    assert measured() == []
    assert all((PACKAGE / place).exists() for place in NOT_FOR_TEXTS)


def test_the_measurement_finds_patterns_that_are_not_linear():
    quadratic = [r"<[^>]*>\s*\S+\s*;", r"\bfunc \w+\(.*\w: .*\)", r"(?:\.?[\w-]+)+@", r"(?m)^\s*import", r"\[[^\]]*\]"]
    assert len(measured(*quadratic)) == len(quadratic)
    (found,) = measured(r"\((?:\w+:?)+\)", within_s=0.5)
    assert found.startswith("SLOW for ever measuring")
