"""The figures as text, as a page of the docs, and as pictures."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from tests.cli.programs import ROOT

DOCS = ROOT / "docs"
PAGE, FIGURES = DOCS / "performance.md", DOCS / "figures"
BEGIN, END = "<!-- figures: written by python -m tests.benchmarks --docs -->", "<!-- end of figures -->"

Rows = Sequence[Mapping[str, object]]
Curves = Mapping[str, Sequence[tuple[int, float]]]


def machine() -> str:
    """What the figures are of."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines(Path("/proc/cpuinfo"))
            if line.startswith(("model name", "Model"))
        ),
        platform.processor() or platform.machine(),
    )
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("msgspec", "requests", "pieces_os_client"))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, {python}, {versions}"


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []


def text(name: str, rows: Rows) -> str:
    """A table for the terminal."""
    cells = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([f"\n{name}", lines[0], "-" * len(lines[0]), *lines[1:]])


def _markdown(rows: Rows) -> str:
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(figures: Mapping[str, Rows], curves: Curves) -> None:
    """Put the figures into their page of the docs, and draw them."""
    FIGURES.mkdir(exist_ok=True)
    parts = [f"Measured on {machine()}."]
    for name, rows in figures.items():
        parts += [f"**{TITLES[name]}**", _markdown(rows)]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("\n\n".join([before + BEGIN, *parts, END + after]), encoding="utf-8")
    if "goals" in figures:
        _draw_ratios(figures["goals"])
    if curves:
        _draw_curves(curves)


TITLES = {"goals": "Goals", "live": "Changes made by another program", "load": "Fifty clients at once"}


def _draw_ratios(rows: Rows) -> None:
    """How many times each goal was reached: 1 is the goal itself, to the right is better."""
    from matplotlib import pyplot as plt

    names, reached = [], []
    for row in rows:
        *bound, measure = str(row["goal"]).split(" ", 3)
        value, goal = float(str(row["reached"])), float(bound[2])
        names.append(f"{row['#']}  {str(row['work']).split(';')[0]}, {measure}")
        reached.append(value / goal if bound[1] == "least" else goal / value)
    figure, axes = plt.subplots(figsize=(11, 0.36 * len(rows) + 1.2))
    colors = ["#2a7f62" if each >= 1 else "#b5482f" for each in reached]
    bars = axes.barh(names, reached, color=colors)
    axes.bar_label(bars, [f"{each:.2f}" for each in reached], padding=3, fontsize=8)
    axes.axvline(1, color="#333333", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(min(0.2, *reached) * 0.8, max(reached) * 2)
    axes.invert_yaxis()
    axes.set_xlabel("goal reached, times (1: just reached; logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", labelsize=8)
    figure.savefig(FIGURES / "goals.svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def _draw_curves(curves: Curves) -> None:
    """What one asset costs, by how many there are."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for name, points in curves.items():
        numbers, seconds = zip(*points, strict=True)
        axes.plot(numbers, [each * 1e6 for each in seconds], marker="o", label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("assets")
    axes.set_ylabel("microseconds for each, all()")
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend()
    figure.savefig(FIGURES / "cost.svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
