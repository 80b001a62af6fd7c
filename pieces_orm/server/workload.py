"""Bounds on the work under way: threads that requests wait for, and bytes that connections hold.

Everything here is touched on the event loop only, except `stop_if_left`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from attrs import field, frozen
from starlette.concurrency import run_in_threadpool

from .request_errors import RequestError
from .settings import Settings

T = TypeVar("T")

_POLL_S = 0.05
_ROOM_TIMEOUTS = 1.5  # how long work waits for room, as a multiple of the time for which a client may take nothing
# Python runs one thread at a time: more threads would build more answers at once, and none of them sooner.
_READERS = 2
# Questions that are answered at once; each takes a thread until its model is done.
MAX_ANSWERS = 8

# Done when the client of the work in this thread leaves; threads take over the context of the request.
_leaving: ContextVar[asyncio.Future[None] | None] = ContextVar("_leaving", default=None)


class ClientLeftError(Exception):
    """The client left before its request was done."""


def stop_if_left() -> None:
    """Stop the work in this thread when its client has left; every step of long work calls this.

    Raises:
        ClientLeftError: the client has left.
    """
    leaving = _leaving.get()
    if leaving is not None and leaving.done():
        raise ClientLeftError


class Holding:
    """The bytes that one request or frame holds.

    Args:
        held: the sum over all connections, of which this is a part.
    """

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self.size = 0

    def resize(self, size: int) -> None:
        """Hold another number of bytes."""
        self._held.counted += size - self.size
        self.size = size


class HeldBytes:
    """The bytes held for all connections together: bodies that arrive, and what clients have not taken yet.

    Args:
        limit: from so many bytes on, no more work is begun.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counted = 0
        self._buffers: set[Callable[[], int]] = set()

    @contextmanager
    def holding(self, size: int = 0) -> Iterator[Holding]:
        """Hold bytes for as long as the block runs."""
        holding = Holding(self)
        holding.resize(size)
        try:
            yield holding
        finally:
            holding.resize(0)

    def add_buffer(self, size: Callable[[], int]) -> None:
        """Count the bytes in a buffer, which `size` returns, until it is removed."""
        self._buffers.add(size)

    def remove_buffer(self, size: Callable[[], int]) -> None:
        """Stop counting a buffer; removing one that is not there does nothing."""
        self._buffers.discard(size)

    def is_full(self, own: int = 0) -> bool:
        """Tell whether others than the one who asks, who holds `own` bytes, hold too much."""
        return self.counted + sum(size() for size in self._buffers) - own >= self.limit

    def refusal(self) -> RequestError:
        """Build the error for a request that finds no room."""
        return RequestError(
            503, f"The server holds over {self.limit} bytes that clients send or have not taken yet; ask again later."
        )


class WorkQueue:
    """Work that waits without a thread until one of a few threads is free, in order of arrival.

    Args:
        threads: so much work runs at once.
        held: work is begun when there is room for its outcome.
        timeout_s: seconds that work waits for room.
    """

    def __init__(self, threads: int, held: HeldBytes, timeout_s: float) -> None:
        self._held = held
        self._timeout_s = timeout_s
        self._free = asyncio.Semaphore(threads)

    def has_room(self, own: int = 0) -> bool:
        """Tell whether there is room for the outcome of more work; the request holds `own` bytes already."""
        return not self._held.is_full(own)

    def is_free(self, own: int = 0) -> bool:
        """Tell whether more work would begin at once."""
        return not self._free.locked() and self.has_room(own)

    async def run(
        self, work: Callable[[], T], *, holding: Holding | None = None, leaving: asyncio.Future[None] | None = None
    ) -> T:
        """Run work in a thread when it is its turn.

        Args:
            holding: what the request holds already.
            leaving: done when the client leaves, and only then.

        Raises:
            RequestError: 503, there was no room in time.
            ClientLeftError: the client left before its turn came, or the work stopped because it did.
        """
        own = holding.size if holding is not None else 0
        if leaving is None or self.is_free(own):
            await self._turn(own)
        else:
            await self._turn_unless(leaving, own)
        reset = _leaving.set(leaving)
        try:
            return await run_in_threadpool(work)
        finally:
            _leaving.reset(reset)
            self._free.release()

    async def _turn_unless(self, leaving: asyncio.Future[None], own: int) -> None:
        turn = asyncio.ensure_future(self._turn(own))
        try:
            await asyncio.wait({turn, leaving}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._abandon(turn)
            raise
        if leaving.done():
            self._abandon(turn)
            raise ClientLeftError
        turn.result()

    def _abandon(self, turn: asyncio.Future[None]) -> None:
        # Cancelling a turn that has come does nothing: it is given back.
        turn.cancel()
        turn.add_done_callback(self._give_back)

    def _give_back(self, turn: asyncio.Future[None]) -> None:
        if not turn.cancelled() and turn.exception() is None:
            self._free.release()

    async def _turn(self, own: int) -> None:
        """Wait for a thread, then for room."""
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        await self._free.acquire()
        try:
            await self._room(own, deadline)
        except BaseException:
            self._free.release()
            raise

    async def _room(self, own: int, deadline: float) -> None:
        # Nothing tells when a client takes a part of what waits for it.
        while not self.has_room(own):
            if asyncio.get_running_loop().time() >= deadline:
                raise self._held.refusal()
            await asyncio.sleep(_POLL_S)


@frozen
class Workload:
    """The work of one running server.

    Writes have a thread of their own, as the database takes one at a time: those that wait keep nobody from reading.
    Reads of one document do not wait for those of whole collections, nor for frames of streams; the state of the server
    waits for nothing, as its answers are a few bytes. `answers` has a place for each question that a language model may
    be working on.
    """

    held: HeldBytes
    writes: WorkQueue
    documents: WorkQueue
    collections: WorkQueue
    frames: WorkQueue
    state: WorkQueue
    answers: asyncio.Semaphore = field(init=False, factory=lambda: asyncio.Semaphore(MAX_ANSWERS))

    @classmethod
    def within(cls, settings: Settings) -> Workload:
        """Make the queues of a server. Work waits for room until clients that take nothing are gone."""
        held, timeout_s = HeldBytes(settings.max_held), settings.send_timeout * _ROOM_TIMEOUTS
        threads = {"writes": 1, "documents": _READERS, "collections": _READERS, "frames": _READERS}
        queues = {name: WorkQueue(count, held, timeout_s) for name, count in threads.items()}
        return cls(held, **queues, state=WorkQueue(1, HeldBytes(sys.maxsize), timeout_s))
