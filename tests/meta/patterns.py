"""Measure every regular expression of the package on texts that are hard for it.

python -m tests.meta.patterns [PATTERN]

Prints each expression before it is measured, so that whoever kills this program knows which one it was; and those whose
time grows faster than the text.
"""

from __future__ import annotations

import ast
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

import pieces_orm
from pieces_orm.server.languages import content

from .pumps import pumps

PACKAGE = Path(pieces_orm.__file__).parent
# Modules whose patterns are not measured, and what they are matched with: nothing that a user or a server sends.
NOT_FOR_TEXTS = {
    "collection/arguments.py": "annotations of the package's own methods",
    "server/settings.py": "the settings of whoever starts the server",
}

_SIZES = (100, 400, 1_600, 6_400)  # characters
_QUICK_S = 0.002  # anything that grows with the square takes longer for the largest size
_MOST_GROWTH = 8.0  # from the last size but one to the last, which is 4 times as large
_FUNCTIONS = {"compile", "search", "match", "fullmatch", "findall", "finditer", "split", "sub", "subn"}


@frozen
class Pattern:
    """A regular expression, and a search with it that goes through all of a text."""

    place: str
    pattern: str | bytes
    flags: int
    search: Callable[[Any], object]


def patterns() -> Iterator[Pattern]:
    """Yield every regular expression of the package."""
    for language, sign in content.signs():
        yield Pattern(f"a sign of {language}", sign.pattern, re.MULTILINE, sign.search)
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if place in NOT_FOR_TEXTS:
            continue
        for line, pattern, flags in _written(path, place):
            compiled = re.compile(pattern, flags)
            yield Pattern(f"{place}:{line}", pattern, flags, lambda text, each=compiled: list(each.finditer(text)))


def _written(path: Path, place: str) -> Iterator[tuple[int, str | bytes, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name in _FUNCTIONS:
                where = f"{place}:{node.lineno}: write the pattern where it is used, to have it measured"
                assert isinstance(node.args[0], ast.Constant), where
                yield node.lineno, node.args[0].value, _flags(node)


def _flags(call: ast.Call) -> int:
    named = [ast.unparse(each) for each in [*call.args[1:], *(given.value for given in call.keywords)]]
    return int(eval(next((each for each in named if each.startswith("re.")), "0"), {"re": re}))


def growth(pattern: Pattern, first: str, repeated: str) -> float:
    """Return by how much longer a search takes when the text is four times as long; 0 when it takes no time."""
    for before, size in zip((0, *_SIZES), _SIZES, strict=False):
        taken = _seconds(pattern, first, repeated, size)
        if taken > _QUICK_S:
            again = min(_seconds(pattern, first, repeated, size) for _ in range(3))
            least = min(_seconds(pattern, first, repeated, before) for _ in range(3)) if before else 0.0
            if again > _QUICK_S and again > _MOST_GROWTH * least:
                return again / (least or 1e-9)
    return 0.0


def _seconds(pattern: Pattern, first: str, repeated: str, size: int) -> float:
    text = (first + repeated * (size // len(repeated) + 1))[:size] + "\0"
    given = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    begun = time.process_time()  # that of other programs does not count
    pattern.search(given)
    return time.process_time() - begun


def main(given: list[str]) -> None:
    """Measure the patterns that are given, or all."""
    own = [Pattern("given", each, 0, re.compile(each).search) for each in given]
    for pattern in own or patterns():
        print(f"measuring {pattern.place}: {pattern.pattern!r}", flush=True)
        for first, repeated in sorted(pumps(pattern.pattern, pattern.flags)):
            grown = growth(pattern, first, repeated)
            if grown:
                print(f"SLOW {pattern.place}: {grown:.0f} times as long, on {first!r} and {repeated!r} repeated")
                break


if __name__ == "__main__":
    main(sys.argv[1:])
