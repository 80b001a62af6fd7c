"""The input of the demo: text files, and the links in them."""

from __future__ import annotations

import keyword
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from ..errors import ToolError
from ..terminal import count

HUGE = 1024 * 1024
# Folders that hold what tools made, not what people wrote; hidden ones are left out as well.
MADE_BY_TOOLS = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
FOLDERS = "whole folder"

_LINK = re.compile(r"https?://[^\s\"'`<>\\{}|^]+(?P<next>[{<$%]?)", re.IGNORECASE)
_HOST = re.compile(r"localhost|[\w-]+(\.[\w-]+)+|[0-9a-f:]+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{6,20}")


@frozen
class Source:
    """A text file: its name below the path that was given, its folder, its text, and the links in it."""

    name: str
    folder: Path
    text: str
    links: tuple[str, ...]


@frozen
class Sources:
    """All files of a run, and how many were left out, by reason."""

    root: Path
    files: tuple[Source, ...]
    skipped: dict[str, int]

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of the files, each once, in order."""
        return tuple(dict.fromkeys(file.folder for file in self.files))

    @property
    def links(self) -> tuple[str, ...]:
        """The links in the files, each once, in order."""
        return tuple(dict.fromkeys(link for file in self.files for link in file.links))

    def word(self) -> str:
        """A word that is worth looking for: in as many files as can be, but in no more than half of them (or two)."""
        counted: Counter[str] = Counter()
        for file in self.files:
            counted.update({word.lower() for word in _WORD.findall(file.text)} - set(keyword.kwlist))
        shared = [(number, word) for word, number in counted.items() if number <= max(2, len(self.files) // 2)]
        return max(shared, default=(0, self.files[0].name), key=lambda each: (each[0], each[1]))[1]


def read_sources(path: Path) -> Sources:
    """Read the text files under a path, or the one that it is.

    Raises:
        ToolError: there is no such path, or no usable file under it.
    """
    try:
        root = path.expanduser().resolve()
        named = root.is_file()
        if not named and not root.is_dir():
            raise ToolError(f"There is no file or folder {str(path)!r}.")
    except (OSError, RuntimeError, ValueError) as error:
        raise ToolError(f"{str(path)!r} cannot be looked at: {error}.") from error
    skipped: Counter[str] = Counter()
    files: list[Source] = []
    for file in [root] if named else _walk(root, skipped):
        # A file that somebody names is wanted, hidden or not.
        found = "hidden" if file.name.startswith(".") and not named else _read(file, root.parent if named else root)
        if isinstance(found, str):
            skipped[found] += 1
        else:
            files.append(found)
    if not files:
        why = f" (skipped: {listed(skipped)})" if skipped else ""
        raise ToolError(f"There is no text file to work on in {str(path)!r}{why}.")
    return Sources(root, tuple(files), dict(skipped))


def listed(skipped: dict[str, int]) -> str:
    """`1 binary, 2 hidden, 1 whole folder`."""
    files = [f"{number} {reason}" for reason, number in sorted(skipped.items()) if reason != FOLDERS]
    return ", ".join([*files, *([count(skipped[FOLDERS], FOLDERS)] if skipped.get(FOLDERS) else [])])


def _walk(root: Path, skipped: Counter[str]) -> Iterator[Path]:
    """All files below a folder in a stable order, without the folders that are left out."""
    for folder, folders, names in os.walk(root):
        left_out = [name for name in folders if name.startswith(".") or name in MADE_BY_TOOLS]
        if left_out:
            skipped[FOLDERS] += len(left_out)
        folders[:] = sorted(name for name in folders if name not in left_out)
        for name in sorted(names):
            yield Path(folder, name)


def _read(file: Path, root: Path) -> Source | str:
    """A file as a source, or why it is none."""
    try:
        if not file.is_file():
            return "special"
        if file.stat().st_size > HUGE:
            return "huge"
        data = file.read_bytes()
        name = file.relative_to(root).as_posix()
        str(file).encode("utf-8")
    except (OSError, ValueError):
        return "unreadable"
    if not data.strip():
        return "empty"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "binary"
    return "binary" if "\0" in text else Source(name, file.parent, text, links_in(text))


def links_in(text: str) -> tuple[str, ...]:
    """The http and https links in a text, each once, in order; templates such as `http://{host}/` are none."""
    found = (_trimmed(match[0]) for match in _LINK.finditer(text) if not match["next"])
    return tuple(dict.fromkeys(link for link in found if _is_link(link)))


def _trimmed(link: str) -> str:
    """A link without the punctuation of the sentence around it."""
    while link:
        last = link[-1]
        unopened = (last == ")" and link.count(")") > link.count("(")) or (
            last == "]" and link.count("]") > link.count("[")
        )
        if not (unopened or last in ".,;:!?*_"):
            break
        link = link[:-1]
    return link


def _is_link(link: str) -> bool:
    try:
        parts = urlsplit(link)
        return parts.hostname is not None and bool(_HOST.fullmatch(parts.hostname)) and parts.port != 0
    except ValueError:
        return False
