"""Many at once: a few requests under way, and what comes of them done in order on the thread that asked.

An *act* is a generator of three parts with a `yield` between them: what comes before the request, the request, and what
its answer changes. The request alone runs on another thread. So receivers of signals run where the change was asked
for, in the order in which it was asked for, and a program that is told of progress may draw it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice, takewhile
from queue import SimpleQueue
from typing import TypeVar

from ..errors import BatchError, PiecesError

T = TypeVar("T")

Act = Generator[None, None, None]
# Called with how many are done and how many there are.
Progress = Callable[[int, int], object]
# Called with how many materials of a collection have come, and how many there are: None as long as that is not known.
Arrivals = Callable[[int, "int | None"], object]

# Requests under way at a time. On a server that answers at once threads cost as much as they gain; where an answer
# takes five milliseconds they gain this factor; beyond it requests wait for each other: Pieces OS locks even for reads.
CONCURRENCY = 4
# Acts that have begun, for each request that may be under way: one slow answer does not leave the others idle.
AHEAD = 4


def do(act: Act) -> None:
    """Do one act, all of it on this thread."""
    for _ in act:
        pass


def do_all(
    items: Sequence[T],
    act: Callable[[T], Act],
    *,
    concurrency: int = CONCURRENCY,
    progress: Progress | None = None,
) -> list[Exception | None]:
    """Do an act for each item, a few requests at a time; the error of each, None where there was none.

    Raises:
        BaseException: a mistake of the program, or an end to it, which is no error of Pieces. Acts that have not begun
            are left; those that have are finished, so that what the server did is known here.
    """
    errors: list[Exception | None] = []
    mistakes: list[BaseException] = []
    going = takewhile(lambda _: not mistakes, items)
    for error in _errors(map(act, going), min(concurrency, len(items))):
        if error is not None and not isinstance(error, PiecesError):
            mistakes.append(error)
        else:
            errors.append(error)
            if progress is not None and not mistakes:
                try:
                    progress(len(errors), len(items))
                except BaseException as raised:  # noqa: BLE001 raised below
                    mistakes.append(raised)
    if mistakes:
        raise mistakes[0]
    return errors


def do_each(
    items: Sequence[T],
    act: Callable[[T], Act],
    name: Callable[[T], str],
    done: str,
    *,
    concurrency: int = CONCURRENCY,
    progress: Progress | None = None,
) -> None:
    """Do an act for each item, a few requests at a time.

    Raises:
        BatchError: some of several failed. The only item's error is raised as it is.
    """
    outcome = list(zip(items, do_all(items, act, concurrency=concurrency, progress=progress), strict=True))
    failed = {name(item): error for item, error in outcome if error is not None}
    if not failed:
        return
    first = next(iter(failed.values()))
    if len(items) == 1:
        raise first
    message = f"{len(failed)} of {len(items)} could not be {done}; the first error: {first}"
    raise BatchError(message, succeeded=[name(item) for item, error in outcome if error is None], failed=failed)


def _errors(acts: Iterator[Act], threads: int) -> Iterator[BaseException | None]:
    if threads <= 1:
        for each in acts:
            yield _whole(each)
        return
    with _Workers(threads) as workers:
        begun = deque(workers.begin(each) for each in islice(acts, threads * AHEAD))
        while begun:
            oldest, asked = begun.popleft()
            failed = asked.result()
            yield failed if failed is not None else _whole(oldest)
            begun.extend(workers.begin(each) for each in islice(acts, 1))


def _part(act: Act) -> BaseException | None:
    """Do an act up to its next `yield`."""
    try:
        next(act, None)
    except BaseException as error:  # noqa: BLE001 told by the caller
        return error
    return None


def _whole(act: Act) -> BaseException | None:
    """Do what is left of an act."""
    try:
        do(act)
    except BaseException as error:  # noqa: BLE001 told by the caller
        return error
    return None


class _Workers:
    """A few threads that make the requests of acts, daemons all: a server that hangs keeps no program from ending."""

    def __init__(self, number: int) -> None:
        self._asked: SimpleQueue[tuple[Act, Future[BaseException | None]] | None] = SimpleQueue()
        self._wanted, self._number = number, 0
        self._closed = False

    def __enter__(self) -> _Workers:
        for _ in range(self._wanted):
            try:
                threading.Thread(target=self._work, name="pieces_orm bulk", daemon=True).start()
            except RuntimeError:
                if not self._number:
                    raise
                break  # the system has no more threads: these will do
            self._number += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._closed = True
        for _ in range(self._number):
            self._asked.put(None)

    def begin(self, act: Act) -> tuple[Act, Future[BaseException | None]]:
        """Do the first part of an act here, the second on another thread; the result is the error they came to."""
        future: Future[BaseException | None] = Future()
        failed = _part(act)
        if failed is None:
            self._asked.put((act, future))
        else:
            future.set_result(failed)
        return act, future

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            act, future = asked
            if self._closed:
                with suppress(Exception):
                    act.close()
            else:
                future.set_result(_part(act))
