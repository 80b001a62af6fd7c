"""Answers under way: a model works in a thread of its own, and its answer is read on the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from typing import Any

from ..answers import Answers, Completion, ModelError, Question
from ..request_errors import RequestError
from ..service import Service

NO_MODEL = (
    "There is no language model here: this server of pieces_orm keeps your materials and finds them, and does not "
    "answer questions. Start it with --model-url and --model, or with Settings(answers=...), to have them answered."
)

MAX_ANSWER_CHARS = 1_000_000

logger = logging.getLogger("pieces_orm.server")


async def reply(service: Service, question: Question) -> AsyncGenerator[str, None]:
    """Answer a question in pieces; close it to stop the model.

    Raises:
        RequestError: 429, too many questions are being answered; 503, the model failed, or took too long.
    """
    answers, seconds = service.settings.answers, service.settings.answer_timeout
    if answers is None:
        yield NO_MODEL
        return
    places = service.workload.answers
    if places.locked():
        raise RequestError(429, "Too many questions are being answered. Ask again later.")
    await places.acquire()
    run = _Run(answers, question, places.release)
    late = ModelError(f"The model did not answer within {seconds:g} seconds.")
    # Not wait_for, which before Python 3.12 can lose the cancellation of who waits.
    timer = asyncio.get_running_loop().call_later(seconds, run.end, late)
    try:
        while pieces := await run.take():
            yield pieces
    finally:
        timer.cancel()
        run.stop()


class _Run:
    """A model at work on one question."""

    def __init__(self, answers: Answers, question: Question, ended: Callable[[], None]) -> None:
        self._answers = answers
        self._question = question
        self._on_end = ended
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._pieces: list[str] = []
        self._error: Exception | None = None
        self._ended = False
        self._stopped = threading.Event()
        self._source: Iterable[str] = ()
        # A daemon: nothing can end a function of the user that does not return.
        threading.Thread(target=self._read, name="pieces_orm answer", daemon=True).start()

    async def take(self) -> str:
        """Wait for pieces and take them all, as one; an empty text ends the answer.

        Raises:
            RequestError: 503, the model failed.
        """
        while not self._pieces and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        if self._pieces:
            taken, self._pieces = "".join(self._pieces), []
            return taken
        if self._error is not None:
            raise RequestError(503, _sentence(self._error))
        return ""

    def end(self, error: Exception | None) -> None:
        """End the answer for who waits for it; the first end counts."""
        if not self._ended:
            self._error, self._ended = error, True
            self._changed.set()

    def stop(self) -> None:
        """Have the model stop: a ChatModel at once, a function of the user with its next piece."""
        self._stopped.set()
        if isinstance(self._source, Completion):
            self._source.close()

    def _read(self) -> None:
        error: Exception | None = None
        left = MAX_ANSWER_CHARS
        try:
            answer = self._answers(self._question)
            self._source = [answer] if isinstance(answer, str) else answer
            if self._stopped.is_set():
                self.stop()  # it was told to stop before there was anything to close
            for piece in self._source:
                if self._stopped.is_set():
                    break
                left -= len(piece)
                if left < 0:
                    error = ModelError(f"The model's answer is over {MAX_ANSWER_CHARS} characters.")
                    break
                if piece:
                    self._call(self._add, piece)
        except Exception as raised:  # noqa: BLE001  whatever a function of the user raises
            error = raised
        finally:
            getattr(self._source, "close", lambda: None)()
            self._call(self.end, error)
            self._call(self._on_end)

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: the server has stopped
            self._loop.call_soon_threadsafe(function, *values)

    def _add(self, piece: str) -> None:
        self._pieces.append(piece)
        self._changed.set()


def _sentence(error: Exception) -> str:
    if isinstance(error, ModelError):
        return str(error)
    logger.error("The answers of the settings failed", exc_info=error)
    return f"The model failed: {type(error).__name__}."
