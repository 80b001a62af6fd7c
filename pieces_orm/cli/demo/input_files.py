"""The demo's input: text files, and the links in them."""

from __future__ import annotations

import keyword
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from ..errors import CommandError

MAX_BYTES = 1024 * 1024
# Their content was generated or installed; hidden folders are skipped as well.
TOOL_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})

_LINK = re.compile(
    r"""
    https?:// (?: localhost\b | [\w-]+ (?: \.[\w-]+ )+ | \[ [\da-f:]+ \] ) (?: :\d+ )?
    # A path may have brackets in it, but a bracket that was opened before the link ends it.
    (?: [/?#] (?: [^\s"'`<>\\{}|^()\[\]] | \( [^\s()]* \) | \[ [^\s\[\]]* \] )* )?
    (?P<placeholder> :? [{<$] )?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WORD = re.compile(r"[^\W\d_]{6,20}")


@frozen
class InputFile:
    """A text file: its path, its name below the input folder, its text and the links in it."""

    path: Path
    name: str
    text: str
    links: tuple[str, ...]


@frozen
class Input:
    """All files of a run, and how many were skipped for each reason."""

    root: Path
    files: tuple[InputFile, ...]
    skipped: Counter[str]


def read_input(path: Path) -> Input:
    """Read a text file, or the text files in a folder.

    Raises:
        CommandError: the path cannot be read, or holds no text file.
    """
    try:
        root = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"Cannot read {str(path)!r}: {reason}. Name a file or a folder.") from error
    skipped: Counter[str] = Counter()
    files = []
    for file in _walk(root, skipped) if root.is_dir() else [root]:
        # A hidden file is read when the user names it.
        found = "hidden" if file.name.startswith(".") and file != root else _read(file, root)
        if isinstance(found, InputFile):
            files.append(found)
        else:
            skipped[found] += 1
    if not files:
        raise CommandError(f"There is no text file to work on in {str(path)!r}. Skipped: {listed(skipped)}.")
    return Input(root, tuple(files), skipped)


def listed(skipped: Counter[str]) -> str:
    """Format what was skipped: `binary (1), folders (2)`."""
    return ", ".join(f"{reason} ({number})" for reason, number in sorted((+skipped).items())) or "nothing"


def _walk(root: Path, skipped: Counter[str]) -> Iterator[Path]:
    """Yield the files below a folder in a stable order, without hidden folders and those of tools."""
    for folder, subfolders, names in os.walk(root):
        kept = sorted(name for name in subfolders if not name.startswith(".") and name not in TOOL_FOLDERS)
        skipped["folders"] += len(subfolders) - len(kept)
        subfolders[:] = kept
        yield from (Path(folder, name) for name in sorted(names))


def _read(path: Path, root: Path) -> InputFile | str:
    """Read a file, or return the reason to skip it."""
    try:
        if not path.is_file():
            return "special"
        if path.stat().st_size > MAX_BYTES:
            return "huge"
        str(path).encode()  # a name that is not Unicode cannot be sent
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return "binary"
    except (OSError, ValueError):
        return "unreadable"
    if not text.strip():
        return "empty"
    name = path.name if path == root else path.relative_to(root).as_posix()
    return "binary" if "\0" in text else InputFile(path, name, text, links_in(text))


def links_in(text: str) -> tuple[str, ...]:
    """Find the http and https links in a text, each once; those with placeholders, as in `http://{host}/`, are not."""
    links = (match[0].rstrip(".,;:!?*_") for match in _LINK.finditer(text) if not match["placeholder"])
    return tuple(dict.fromkeys(links))


def search_word(files: Sequence[InputFile]) -> str:
    """Choose a word that as many files as possible share, but at most half of them (or two)."""
    counts: Counter[str] = Counter()
    for file in files:
        counts.update(set(_WORD.findall(file.text.lower())) - set(keyword.kwlist))
    limit = max(2, len(files) // 2)
    return max(((number, word) for word, number in counts.items() if number <= limit), default=(0, files[0].name))[1]
