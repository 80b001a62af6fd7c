"""Texts as searches compare them: folded, in words, and those of a material."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from ..json_values import object_in

_WORD = re.compile(r"[^\W_]+")


class _Folding(dict[int, str]):
    """By the number of a character: its parts, as compatible ones, without the diacritics; filled as they are met."""

    def __missing__(self, character: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(character))
        self[character] = folded = "".join(part for part in parts if not unicodedata.combining(part))
        return folded


_folding = _Folding()


def fold(text: str) -> str:
    """Fold a text for comparison: lower case, without diacritics."""
    if text.isascii():
        return text.lower()
    # Character by character: to normalize a whole text sorts its diacritics, in time that grows with their square.
    return text.lower().translate(_folding)


def words(folded: str) -> list[str]:
    """Split a folded text into words."""
    return _WORD.findall(folded)


def tokens(text: str) -> list[str]:
    """Split a text as the index does, whose own tokenizer folds the words.

    Letters, digits and the marks that belong to them, so nothing in a token is query syntax to the index.
    """
    runs = "".join(c if c == " " or unicodedata.category(c)[0] in "LNM" else " " for c in text)
    return [run for run in runs.split(" ") if any(unicodedata.category(c)[0] in "LN" for c in run)]


def names_of(own: Mapping[str, Any]) -> list[str]:
    """List what a material is called in its own keys: a tag's text, a website's name and url, a person's names."""
    person = object_in(object_in(own, "type"), "basic") or object_in(object_in(own, "type"), "platform")
    names = [own.get(key) for key in ("text", "name", "url")]
    names += [person.get(key) for key in ("name", "username", "email")]
    return [name for name in names if isinstance(name, str)]


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text within a JSON value, in order."""
    # Not by recursion: older databases hold values of hundreds of levels.
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping | list):
            left += reversed([*(one.values() if isinstance(one, Mapping) else one)])
