"""Several requests at a time, with their results applied in order on the calling thread.

An *act* is a generator of three parts with a `yield` between them: the preparation, the request, and the application of
its answer. Only the request runs on another thread. So receivers of signals run on the thread that asked for the
changes, in the order in which it asked for them, and so does the function that is told of progress.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice, takewhile
from queue import SimpleQueue
from typing import TypeVar

from ..errors import BatchError, NotRunningError, NotTriedError, PiecesError
from ..values import Progress

T = TypeVar("T")

Act = Generator[None, None, None]

# Requests at a time, unless the session says otherwise. Threads gain nothing on a server that answers at once, and this
# factor on one that takes five milliseconds; more would wait for each other, as Pieces OS takes a lock even for reads.
CONCURRENCY = 4
# Acts that may have begun for each thread, so that one slow answer does not leave the other threads idle.
ACTS_PER_THREAD = 4


def do(act: Act) -> None:
    """Do one act, with all its parts on this thread."""
    for _ in act:
        pass


def do_all(
    items: Sequence[T],
    act: Callable[[T], Act],
    *,
    concurrency: int = CONCURRENCY,
    progress: Progress | None = None,
) -> list[Exception | None]:
    """Do an act for each item, a few requests at a time; return the error of each item, None where there is none.

    When no server answers, the acts that have not begun are left out: their error is a NotTriedError. Each would wait
    for the server in vain.

    Raises:
        BaseException: the first exception that is not a PiecesError, such as KeyboardInterrupt. Acts that have not
            begun are left out; those that have are finished, so that their effects on the server are known here.
    """
    alone = ([item] for item in items)
    return do_groups(alone, len(items), lambda group, _: act(group[0]), concurrency=concurrency, progress=progress)


def do_groups(
    groups: Iterable[Sequence[T]],
    total: int,
    act: Callable[[Sequence[T], list[Exception | None]], Act],
    *,
    concurrency: int = CONCURRENCY,
    progress: Progress | None = None,
) -> list[Exception | None]:
    """Do an act for each group of items, as `do_all` does for each item; an error of a whole act is that of its items.

    Args:
        groups: asked for as they are begun.
        total: items of all groups.
        act: called with a group and a list of as many places, in which it puts the errors of single items.
        progress: called after each item.
    """
    begun: deque[list[Exception | None]] = deque()
    errors: list[Exception | None] = []
    mistakes: list[BaseException] = []
    lost: list[NotRunningError] = []

    def begin(group: Sequence[T]) -> Act:
        begun.append([None] * len(group))
        return act(group, begun[-1])

    going = takewhile(lambda _: not (mistakes or lost), groups)
    for error in _errors(map(begin, going), min(concurrency, total)):
        if error is not None and not isinstance(error, PiecesError):
            mistakes.append(error)
            continue
        if isinstance(error, NotRunningError):
            lost.append(error)
        for each in begun.popleft():
            errors.append(each if error is None else error)
            if progress is not None and not mistakes:
                try:
                    progress(len(errors), total)
                except BaseException as raised:  # noqa: BLE001 raised below
                    mistakes.append(raised)
    if mistakes:
        raise mistakes[0]
    # All acts were begun unless no server answered.
    left_out = total - len(errors)
    return [*errors, *(NotTriedError(f"Not tried, after another failed: {lost[0]}") for _ in range(left_out))]


def do_each(items: Sequence[T], errors: list[Exception | None], do_one: Callable[[int, T], object]) -> None:
    """Do something with each item of a group, whatever happens to the others, and put a PiecesError in its place.

    Args:
        do_one: called with the place of an item and the item.

    Raises:
        BaseException: the first exception that is not a PiecesError.
    """
    mistakes: list[BaseException] = []
    for place, item in enumerate(items):
        try:
            do_one(place, item)
        except PiecesError as error:
            errors[place] = error
        except BaseException as error:  # noqa: BLE001 raised below
            mistakes.append(error)
    if mistakes:
        raise mistakes[0]


def raise_failed(items: Sequence[T], errors: Sequence[Exception | None], name: Callable[[T], str], done: str) -> None:
    """Raise the errors that items came to, if there are any.

    Raises:
        BatchError: some of several items failed. The error of an only item is raised as it is.
    """
    outcome = list(zip(items, errors, strict=True))
    failed = {name(item): error for item, error in outcome if error is not None}
    if not failed:
        return
    first = next(iter(failed.values()))
    if len(items) == 1:
        raise first
    message = f"{len(failed)} of {len(items)} could not be {done}. The first error: {first}"
    raise BatchError(message, succeeded=[name(item) for item, error in outcome if error is None], failed=failed)


def _errors(acts: Iterator[Act], threads: int) -> Iterator[BaseException | None]:
    if threads <= 1:
        for each in acts:
            yield _whole(each)
        return
    with _Workers(threads) as workers:
        begun = deque(workers.begin(each) for each in islice(acts, threads * ACTS_PER_THREAD))
        while begun:
            oldest, asked = begun.popleft()
            failed = asked.result()
            yield failed if failed is not None else _whole(oldest)
            begun.extend(workers.begin(each) for each in islice(acts, 1))


def _part(act: Act) -> BaseException | None:
    """Do the next part of an act, and return its error."""
    try:
        next(act, None)
    except BaseException as error:  # noqa: BLE001 returned to the caller
        return error
    return None


def _whole(act: Act) -> BaseException | None:
    """Do the rest of an act, and return its error."""
    try:
        do(act)
    except BaseException as error:  # noqa: BLE001 returned to the caller
        return error
    return None


class _Workers:
    """Daemon threads that make the requests of acts: a server that hangs does not keep the program from ending.

    Args:
        number: of threads at most; each starts with an act, so that an exception at any moment finds them in a block
            whose end ends them.
    """

    def __init__(self, number: int) -> None:
        # None ends a thread, which puts it back for the others.
        self._asked: SimpleQueue[tuple[Act, Future[BaseException | None]] | None] = SimpleQueue()
        self._wanted, self._started = number, 0
        self._closed = False

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        self._closed = True
        self._asked.put(None)

    def begin(self, act: Act) -> tuple[Act, Future[BaseException | None]]:
        """Do the first part of an act here and the second on another thread; the future holds their error."""
        future: Future[BaseException | None] = Future()
        failed = _part(act)
        if failed is None:
            self._start_another()
            self._asked.put((act, future))
        else:
            future.set_result(failed)
        return act, future

    def _start_another(self) -> None:
        if self._started < self._wanted:
            try:
                threading.Thread(target=self._work, name="pieces_orm parallel", daemon=True).start()
            except RuntimeError:
                if not self._started:
                    raise
                self._wanted = self._started  # the system has no more threads: go on with these
            else:
                self._started += 1

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            act, future = asked
            if self._closed:
                with suppress(Exception):
                    act.close()
            else:
                future.set_result(_part(act))
        self._asked.put(None)
