"""`python -m tests.benchmarks`: measures, prints a table, and with --docs writes the page's figures and plots.

Everything is measured in turn with what it is compared with (A B A B ...), and shown as medians and ratios of this run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from . import calling, live, many, payloads, reading, report, server, small, starting
from .measuring import Row

Table = list[dict[str, object]]


def _goals(quick: bool) -> tuple[Table, dict[str, list[tuple[int, float]]]]:
    """All rows of the goals, in their order, and the cost of a material by how many there are."""
    rows: list[Row] = []
    steps: list[tuple[str, Callable[..., list[Row]]]] = [
        ("reading", reading.measure), ("calling", calling.measure), ("small things", small.measure),
        ("starting", starting.measure), ("the embedded server", server.measure), ("many", many.measure),
    ]  # fmt: skip
    for name, measure in steps:
        _say(name)
        rows += measure(quick=quick)
    _say("many and few")
    row, curves = reading.flat(quick=quick)
    rows += [row, reading.collection_of_garbage(quick=quick)]
    rows.sort(key=lambda each: int(each.number[1:]))
    return [each.as_dict() for each in rows], curves


def _say(step: str) -> None:
    print(f"{step} ...", file=sys.stderr, flush=True)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "themes", nargs="*", metavar="THEME", help="goals (P1 to P16), live (changes), load (fifty clients); none: all"
    )
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the work, to see that everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--docs", action="store_true", help="write the figures and plots of docs/performance.md")
    asked = parser.parse_args()
    unknown = set(asked.themes) - {"goals", "live", "load"}
    if unknown:
        parser.error(f"there is no theme {', '.join(sorted(unknown))}; there are goals, live, load")
    began = time.monotonic()
    figures: dict[str, Table] = {}
    curves: dict[str, list[tuple[int, float]]] = {}
    if not asked.themes or "goals" in asked.themes:
        with TemporaryDirectory() as folder:
            os.environ[payloads.FOLDER] = folder
            figures["goals"], curves = _goals(asked.quick)
            del os.environ[payloads.FOLDER]
    if not asked.themes or "live" in asked.themes:
        _say("live")
        figures["live"] = live.measure(quick=asked.quick)
    if not asked.themes or "load" in asked.themes:
        _say("load")
        figures["load"] = server.under_load(quick=asked.quick)
    for name, rows in figures.items():
        print(report.text(name, rows), flush=True)
    if asked.json:
        about = {"machine": report.machine(), "seconds": round(time.monotonic() - began), **figures, "curves": curves}
        asked.json.write_text(json.dumps(about, indent=1), encoding="utf-8")
    if asked.docs:
        report.write(figures, curves)


if __name__ == "__main__":
    main()
