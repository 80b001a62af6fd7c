"""What a person sees: lines, progress bars and tables on a terminal; plain text when output goes elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


def shown(text: str, limit: int = 60) -> str:
    """A text as one short line without control characters."""
    line = "".join(char if char.isprintable() else "?" for char in text)
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun if number == 1 else noun + 's'}"


class Screen:
    """Standard output, as a terminal or as plain text."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()
        # Names of files are shown as they are: nothing in them is markup, an emoji, or to be coloured. Plain text is
        # not wrapped, whatever FORCE_COLOR or COLUMNS say.
        self._console = Console(
            force_terminal=self.terminal,
            width=None if self.terminal else 200,
            markup=False,
            emoji=False,
            highlight=False,
        )
        self._reader_left = False

    def say(self, text: str = "") -> None:
        """Print a line."""
        self._print(text)

    def note(self, text: str) -> None:
        """Print a line that must not be lost, such as what could not be cleaned up, to standard error."""
        print(f"pieces-orm: {text}", file=sys.stderr, flush=True)  # noqa: T201 the screen is the place that prints

    def _print(self, thing: str | Table) -> None:
        if self._reader_left:
            return
        try:
            self._console.print(thing, soft_wrap=isinstance(thing, str))
            sys.stdout.flush()
        except (OSError, SystemExit):
            # `| head` has closed the pipe: the work goes on, above all the cleaning up, without a reader.
            self._reader_left = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        """A bar that moves with each call of what this yields; as plain text one line, at the end.

        Args:
            title: what is done.
            total: how often the call is expected.
        """
        done = 0
        columns = (TextColumn("{task.description:<34}", markup=False), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns, TimeElapsedColumn(), console=self._console, disable=not self.terminal or self._reader_left
        ) as bar:
            task = bar.add_task(title, total=total)

            def advance() -> None:
                nonlocal done
                done += 1
                bar.advance(task)

            yield advance
        if not self.terminal:
            self.say(f"{title}: {done}")

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], sums: Sequence[Sequence[str]]) -> None:
        """A table: the first column to the left, the others to the right; `sums` stand below a rule."""
        table = Table(box=None if not self.terminal else SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for place, head in enumerate(heads):
            table.add_column(head, justify="right" if place else "left", no_wrap=True)
        for row in rows:
            table.add_row(*row, end_section=row is rows[-1])
        for row in sums:
            table.add_row(*row)
        if self.terminal:
            self._print(table)
            return
        with self._console.capture() as captured:
            self._console.print(table)
        self._print("\n".join(line.rstrip() for line in captured.get().splitlines()))
