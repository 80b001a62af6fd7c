"""`python -m tests.benchmarks [live] [server] [--quick] [--json FILE]`: measures, and prints a table for each theme."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import live, server

THEMES = {"live": live.measure, "server": server.measure}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("themes", nargs="*", metavar="THEME", help=f"{', '.join(THEMES)}; none: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    asked = parser.parse_args()
    unknown = set(asked.themes) - THEMES.keys()
    if unknown:
        parser.error(f"there is no theme {', '.join(sorted(unknown))}; there are {', '.join(THEMES)}")
    figures = {}
    for theme in asked.themes or THEMES:
        print(f"{theme} ...", file=sys.stderr, flush=True)
        figures[theme] = THEMES[theme](quick=asked.quick)
        print(_table(theme, figures[theme]), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _table(theme: str, rows: list[dict[str, object]]) -> str:
    names = list(rows[0])
    cells = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([f"\n{theme}", lines[0], "-" * len(lines[0]), *lines[1:]])


if __name__ == "__main__":
    main()
