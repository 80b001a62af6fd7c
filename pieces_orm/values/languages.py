"""Languages and types of files: the members of the wire's list, and the names that people use for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

__all__ = ["Language"]


class Language(str):
    """A language or file type as the wire names it, such as py, for one that this version does not know.

    Common names are taken as texts: `language="Python"` and `language="py"` are the same. A text that names no known
    language is refused; `Language("x")` passes it all the same. A field returns a `Language` where the server has sent
    such a name.
    """

    __slots__ = ()


@cache
def _table() -> Sequence[tuple[Sequence[str], Sequence[str], Sequence[str]]]:
    """Read the languages: members, other names, suffixes that the wire lacks."""
    lines = Path(__file__).with_name("languages.txt").read_text("ascii").splitlines()
    return list(_rows(line for line in lines if not line.startswith("#")))


def _rows(lines: Iterator[str]) -> Iterator[tuple[Sequence[str], Sequence[str], Sequence[str]]]:
    for line in lines:
        members, names, suffixes = (part.split() for part in [*line.split(":"), "", ""][:3])
        if members:
            yield members, names, suffixes
        else:
            # Members without anything else stand together.
            yield from (([member], [], []) for member in names)


def as_language(text: str) -> str:
    """Return a language as a server has sent it: a `Language` where it is none of the known ones."""
    return text if text in known_languages() else Language(text)


@cache
def known_languages() -> frozenset[str]:
    """Return the members of the wire's list."""
    return frozenset(member for members, _, _ in _table() for member in members)


@cache
def language_by_name() -> Mapping[str, str]:
    """Map names, in lower case, to the wire's: members, other names, and suffixes, in this order."""
    found: dict[str, str] = {}
    for members, _, _ in _table():
        for member in members:
            found.setdefault(member.casefold(), member)
    for members, names, _ in _table():
        stems = [member.removeprefix("hljs-") for member in members if member.startswith("hljs-")]
        for name in (*names, *stems):
            found.setdefault(name.casefold(), members[0])
    return {**language_by_suffix(), **found}


@cache
def language_by_suffix() -> Mapping[str, str]:
    """Return the languages of suffixes of files, in lower case, that are no members of the wire's list."""
    return {suffix.casefold(): members[0] for members, _, suffixes in _table() for suffix in suffixes}


def find_language(name: str) -> str | None:
    """Return the wire's name of a language, None for an unknown one.

    Args:
        name: a member of the wire's list, a common name such as Python, or a suffix such as .py.
    """
    if name in known_languages():
        return name
    key = "-".join(name.casefold().split())
    return language_by_name().get(key) or language_by_name().get(key.removeprefix("."))


def spellings(language: str) -> Sequence[str]:
    """Return the members of the wire's list that name the same language as one of them, this one first."""
    same = next((members for members, _, _ in _table() if language in members), ())
    return [language, *(member for member in same if member != language)]
