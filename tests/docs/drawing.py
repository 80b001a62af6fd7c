"""Pictures as SVG that can be read on a light and on a dark page, without a tool that draws graphs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .rooms import Graph, levels, reduced

HEIGHT, GAP, FLOOR, MARGIN = 30, 26, 74, 24
LETTER = 7.8  # pixels of a letter of 13 px, generously

# Each picture has a ground of its own, so that its text is legible whatever the page around it looks like.
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
  .small { font-size: 12px; fill: #424a53 }
  .code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: 12px }
  .ground { fill: #f6f8fa }
  .box { fill: #ffffff; stroke: #57606a }
  .other { stroke-dasharray: 4 3 }
  .program { fill: #ddf4ff; stroke: #0969da }
  .line { fill: none; stroke: #57606a; stroke-width: 1.2 }
  .upwards { stroke: #cf222e; stroke-dasharray: 5 3 }
  .tip { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #b7bfc8 }
    .ground { fill: #161b22 }
    .box { fill: #21262d; stroke: #8b949e }
    .program { fill: #0c2d4d; stroke: #58a6ff }
    .line { stroke: #8b949e }
    .upwards { stroke: #ff7b72 }
    .tip { fill: #8b949e }
  }
"""
TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
    '<path class="tip" d="M0 0 8 4 0 8z"/></marker>'
)


def svg(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    """Return a whole picture."""
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f"<defs>{TIP}</defs>",
        f'<rect class="ground" width="{width:.0f}" height="{height:.0f}" rx="8"/>',
        *parts,
        "</svg>",
        "",
    ])  # fmt: skip


def box(x: float, y: float, width: float, height: float, style: str = "") -> str:
    """Return a box by its upper left corner."""
    size = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f'<rect class="{f"box {style}".strip()}" {size} rx="5"/>'


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    """Return a line of text by the start, middle or end of its base line."""
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words, quote=False)}</text>'


def arrow(points: Sequence[tuple[float, float]], style: str = "") -> str:
    """Return a line through some points, bent softly from floor to floor, with a tip at its end."""
    (x, y), *others = points
    path = f"M{x:.0f} {y:.0f}"
    for there_x, there_y in others:
        middle = (y + there_y) / 2
        path += f" C{x:.0f} {middle:.0f} {there_x:.0f} {middle:.0f} {there_x:.0f} {there_y:.0f}"
        x, y = there_x, there_y
    return f'<path class="{f"line {style}".strip()}" d="{path}" marker-end="url(#tip)"/>'


def layers(title: str, graph: Graph, others: frozenset[str] = frozenset()) -> str:
    """Draw which room imports which, every arrow downwards; arrows that a longer way implies are left out.

    An arrow within a circle is drawn dashed. `others` are rooms of another package, in dashed boxes.
    """
    floors = levels(graph)
    rows, ways = _placed(reduced(graph), floors)
    widths = {room: 24 + LETTER * len(room) for room in graph}
    centres = _spread(rows, widths, ways)
    left = min(centres[each] - widths.get(each, 0) / 2 for row in rows for each in row)
    right = max(centres[each] + widths.get(each, 0) / 2 for row in rows for each in row)
    top = len(rows) - 1

    def at(each: str, floor: int, *, below: bool) -> tuple[float, float]:
        y = MARGIN + (top - floor) * FLOOR
        return centres[each] - left + MARGIN, y + (HEIGHT if below else 0)

    parts = []
    for way in ways:
        first, *between, last = way
        points = [at(first, floors[first], below=True)]
        for number, each in enumerate(between, 1):
            floor = floors[first] - number
            points += [at(each, floor, below=False), at(each, floor, below=True)]
        aside = floors[last] >= floors[first]
        parts.append(arrow([*points, at(last, floors[last], below=aside)], "upwards" if aside else ""))
    for room, floor in sorted(floors.items()):
        x, y = at(room, floor, below=False)
        parts += [
            box(x - widths[room] / 2, y, widths[room], HEIGHT, "other" if room in others else ""),
            text(x, y + 20, room, anchor="middle"),
        ]
    return svg(title, right - left + 2 * MARGIN, top * FLOOR + HEIGHT + 2 * MARGIN, parts)


def _placed(arrows: Graph, floors: Mapping[str, int]) -> tuple[list[list[str]], list[list[str]]]:
    """Return the rows from the lowest floor up, and the ways of the arrows; a long way has a turn on each floor."""
    rows: list[list[str]] = [[] for _ in range(max(floors.values()) + 1)]
    for room in sorted(floors):
        rows[floors[room]].append(room)
    ways = []
    for room, targets in sorted(arrows.items()):
        for target in sorted(targets):
            turns = [f"{room}>{target}:{floor}" for floor in range(floors[room] - 1, floors[target], -1)]
            for turn in turns:
                rows[int(turn.rpartition(":")[2])].append(turn)
            ways.append([room, *turns, target])
    return rows, ways


def _spread(rows: list[list[str]], widths: Mapping[str, float], ways: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return where each room and turn stands: near the middle of what it is joined to, and next to no other."""
    joined: dict[str, list[str]] = {each: [] for row in rows for each in row}
    for one, other in _steps(ways):
        joined[one].append(other)
        joined[other].append(one)
    centres: dict[str, float] = {}
    for row in rows:
        _line_up(row, widths, centres, dict.fromkeys(row, 0.0))
    for _ in range(40):
        for row in (*rows, *reversed(rows)):
            wanted = {
                each: sum(map(centres.__getitem__, joined[each])) / len(joined[each]) if joined[each] else centres[each]
                for each in row
            }
            row.sort(key=lambda each: (wanted[each], each))
            _line_up(row, widths, centres, wanted)
    return centres


def _steps(ways: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    for way in ways:
        yield from itertools.pairwise(way)


def _line_up(
    row: Sequence[str], widths: Mapping[str, float], centres: dict[str, float], wanted: Mapping[str, float]
) -> None:
    """Put a row side by side, each as near to where it wants to be as its neighbours allow."""
    edge, shift = float("-inf"), 0.0
    for each in row:
        half = widths.get(each, 0) / 2
        centres[each] = max(wanted[each], edge + GAP + half)
        edge = centres[each] + half
        shift += wanted[each] - centres[each]
    for each in row:
        centres[each] += shift / len(row)
