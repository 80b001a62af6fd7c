"""Texts that are hard for a regular expression, made of what the expression itself says.

Backtracking is slow on a text that repeats a part of what the expression matches and then does not go on. So each
run of neighbouring parts is repeated, after all that comes before it, with something behind that nothing matches.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

try:
    from re import _constants as ops
    from re import _parser as parser
except ImportError:  # Python 3.10
    import sre_constants as ops
    import sre_parse as parser

# Characters to stand for a class, if they belong to it.
_CHARACTERS = " a0(:.,;\"'`<>[]{}/\\#@-_+=|&$!?*\n\tA\u00e9"
_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d", ops.CATEGORY_NOT_DIGIT: r"\D", ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S", ops.CATEGORY_WORD: r"\w", ops.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_MOST_PARTS = 6
_VARIANTS = 3


def pumps(pattern: str | bytes, flags: int = 0) -> set[tuple[str, str]]:
    """Return what comes first and what is repeated, for texts that may be hard for a pattern."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    tree = parser.parse(text.replace(r"\z", r"\Z"), flags)
    found = set()
    for branch, variant in itertools.product(range(_most_branches(tree)), range(_VARIANTS)):
        parts = list(_joined(_parts(tree, branch, variant)))
        for start, end in itertools.combinations(range(len(parts) + 1), 2):
            if end - start <= _MOST_PARTS:
                found.add(("".join(part for part, _ in parts[:start]), "".join(part for part, _ in parts[start:end])))
    return found


def _most_branches(tree: Any) -> int:
    own = [len(argument[1]) for op, argument in tree if op is ops.BRANCH]
    return max([1, *own, *(_most_branches(inner) for inner in _inner(tree))])


def _inner(tree: Any) -> Iterator[Any]:
    for op, argument in tree:
        if op is ops.BRANCH:
            yield from argument[1]
        elif isinstance(argument, parser.SubPattern):
            yield argument
        elif isinstance(argument, tuple) and isinstance(argument[-1], parser.SubPattern):
            yield argument[-1]


def _parts(tree: Any, branch: int, variant: int) -> Iterator[tuple[str, bool]]:
    """Yield a text for each part of a pattern, and whether it stands for itself."""
    for op, argument in tree:
        if op is ops.LITERAL:
            yield chr(argument), True
        elif op in {ops.IN, ops.ANY, ops.NOT_LITERAL}:
            yield _member(op, argument, variant), False
        elif op is ops.BRANCH:
            yield from _parts(argument[1][branch % len(argument[1])], branch, variant)
        elif op in {ops.MAX_REPEAT, ops.MIN_REPEAT}:
            yield from list(_parts(argument[2], branch, variant)) * max(1, min(argument[0], 3))
            yield "", False  # what is repeated is a part of its own
        elif op is ops.SUBPATTERN:
            yield from _parts(argument[-1], branch, variant)


def _joined(parts: Iterator[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Join neighbouring parts that stand for themselves."""
    for literal, group in itertools.groupby(parts, key=lambda part: part[1]):
        texts = [text for text, _ in group if text]
        yield from [("".join(texts), True)] if literal else ((text, False) for text in texts)


def _member(op: Any, argument: Any, variant: int) -> str:
    members = [each for each in _CHARACTERS if _matches(op, argument, each)] or [_first(argument)]
    return members[variant % len(members)]


def _first(argument: Sequence[Any]) -> str:
    op, value = next(item for item in argument if item[0] in {ops.LITERAL, ops.RANGE})
    return chr(value if op is ops.LITERAL else value[0])


def _matches(op: Any, argument: Any, character: str) -> bool:
    code = ord(character)
    if op is ops.ANY:
        return character != "\n"
    if op is ops.NOT_LITERAL:
        return code != argument
    negated = argument[0][0] is ops.NEGATE
    return any(_has(item, value, character, code) for item, value in argument) is not negated


def _has(op: Any, value: Any, character: str, code: int) -> bool:
    if op is ops.CATEGORY:
        return re.match(_CATEGORIES[value], character) is not None
    return code == value if op is ops.LITERAL else op is ops.RANGE and value[0] <= code <= value[1]
