"""Standard output: progress bars and tables on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..errors import printable

T = TypeVar("T")
PLAIN_WIDTH = 200  # columns


def count(number: int, noun: str) -> str:
    """Format a number with its noun: `1 file`, `2 files`."""
    return f"{number} {noun if number == 1 else noun + 's'}"


class Terminal:
    """Standard output of one command. It goes on silently when its reader leaves, as in `pieces-orm demo | head`."""

    def __init__(self) -> None:
        self.is_interactive = sys.stdout.isatty()
        # Plain output is neither coloured nor wrapped, whatever FORCE_COLOR and COLUMNS say.
        width = None if self.is_interactive else PLAIN_WIDTH
        self._console = Console(force_terminal=self.is_interactive, width=width)

    def say(self, content: str | Table = "") -> None:
        """Print a line or a table."""
        try:
            # As Text, names of files are printed as they are: without markup, emoji codes or colours.
            self._console.print(Text(printable(content)) if isinstance(content, str) else content, soft_wrap=True)
        except (OSError, SystemExit):  # rich exits when the pipe is closed, but what was created must still be deleted
            self._console.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def progress(self) -> Progress:
        """Return a progress display, which shows nothing unless this is a terminal."""
        columns = (TextColumn("{task.description:<30}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._console, disable=not self.is_interactive)

    def track(self, items: Sequence[T], title: str) -> Iterator[T]:
        """Yield the items while a bar moves; plain output gets one line at the end, with their number."""
        with self.progress() as progress:
            yield from progress.track(items, description=title)
        if not self.is_interactive:
            self.say(f"{title}: {len(items)}")

    def table(self, *columns: str) -> Table:
        """Return an empty table whose columns, except the first, are aligned to the right."""
        table = Table(box=SIMPLE_HEAD if self.is_interactive else None, pad_edge=False, show_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, justify="right" if index else "left")
        return table
