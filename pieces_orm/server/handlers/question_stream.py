"""The WebSocket /qgpt/stream: questions of any number of conversations, answered as a model writes.

The frames of an answer are as known clients expect them: pieces of text with the status IN-PROGRESS, then one frame
without an answer that has the status COMPLETED, or FAILED with a sentence. The first of another status ends an answer
for the official client, and one with both an answer and COMPLETED never ends for others.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing, suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from ...wire.kinds import CONVERSATION
from ..json_values import MAX_LEVELS, is_too_deep, json_text
from ..request_errors import RequestError
from ..service import Service
from ..storage.writer import new_id
from .copilot import Turn, answers_of, prepare, store_answer, store_question
from .replies import reply

logger = logging.getLogger("pieces_orm.server")

_MAX_TURNS = 8  # of one client at once
_GOING_AWAY = 1001
# Seconds from a new conversation to the end of its first answer. The official client fails when an answer is complete
# before it has read the conversation, of which its other stream tells; a model of Pieces OS always took so long.
_NEWS_S = 1.0


async def stream(service: Service, socket: WebSocket) -> None:
    """Answer the questions of one client, until it leaves or the server stops."""
    with service.hub.subscribe(frozenset(), service.settings.stream_backlog) as subscription:
        client = _Client(service, socket)
        listening = asyncio.create_task(client.listen())
        listening.add_done_callback(lambda _: subscription.close())
        try:
            await subscription.take()
            if not listening.done():
                await socket.close(_GOING_AWAY)
        finally:
            await _cancelled(listening, *client.turns)


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Client:
    """One client with its questions under way, by their tasks; the value is the conversation that was named."""

    def __init__(self, service: Service, socket: WebSocket) -> None:
        self.turns: dict[asyncio.Task[None], str] = {}
        self._service = service
        self._socket = socket
        self._workload = service.workload
        self._sending = asyncio.Lock()

    async def listen(self) -> None:
        """Take questions until the client leaves."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while (message := await self._socket.receive())["type"] != "websocket.disconnect":
                await self._take(message.get("text") or message.get("bytes") or "")

    async def _take(self, text: str | bytes) -> None:
        try:
            body = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body = None
        if not isinstance(body, dict) or is_too_deep(body):
            sentence = f"A message must be a JSON object of at most {MAX_LEVELS} levels."
            await self._fail("", {}, RequestError(400, sentence))
            return
        named = body.get("conversation")
        conversation = named if isinstance(named, str) else ""
        if body.get("stop") is True or body.get("reset") is True:
            await self._stop(body, conversation)
        elif len(self.turns) >= _MAX_TURNS:
            await self._fail(conversation, body, RequestError(429, f"{_MAX_TURNS} questions are being answered."))
        else:
            task = asyncio.create_task(self._answer(body, conversation))
            self.turns[task] = conversation
            task.add_done_callback(lambda done: self.turns.pop(done, None))

    async def _stop(self, body: Mapping[str, Any], conversation: str) -> None:
        """Stop the answers of a conversation; all of this client when none is named, or when it resets."""
        stopped = [task for task, of in self.turns.items() if body.get("reset") is True or conversation in {"", of}]
        await _cancelled(*stopped)
        await self._send(_frame(conversation, body, "RESET" if body.get("reset") is True else "STOPPED"))

    async def _answer(self, body: Mapping[str, Any], conversation: str) -> None:
        # One id for all frames of an answer.
        body = {**body, "request": body.get("request") if isinstance(body.get("request"), str) else new_id()}
        said: list[str] = []
        begun = time.monotonic()
        turn: Turn | None = None
        try:
            turn = await self._workload.collections.run(partial(prepare, self._service, body))
            if turn.question is not None:
                turn = await self._workload.writes.run(partial(store_question, self._service, turn, turn.question))
            await self._pieces(body, turn, said)
            if said:
                await self._store(turn, said)
        except Exception as error:  # noqa: BLE001  without a last frame the client would wait for ever
            try:
                await self._keep(turn, said)
            finally:
                await self._fail(turn.conversation if turn else conversation, body, _refusal(error))
        except asyncio.CancelledError:
            await asyncio.shield(self._keep(turn, said))
            raise
        else:
            if turn.is_new and self._service.hub.is_watched(CONVERSATION.name):
                await asyncio.sleep(begun + _NEWS_S - time.monotonic())
            await self._send(_frame(turn.conversation, body, "COMPLETED"))

    async def _pieces(self, body: Mapping[str, Any], turn: Turn, said: list[str]) -> None:
        """Send an answer piece by piece; what is relevant comes with the first."""
        relevance = {} if turn.relevant is None else {"relevance": {"relevant": {"iterable": turn.relevant}}}
        if turn.question is None:
            await self._send(_frame(turn.conversation, body, "IN-PROGRESS", **relevance))
            return
        async with aclosing(reply(self._service, turn.question)) as pieces:
            async for piece in pieces:
                said.append(piece)
                await self._send(
                    _frame(turn.conversation, body, "IN-PROGRESS", question=answers_of(piece), **relevance)
                )
                relevance = {}

    async def _store(self, turn: Turn, said: list[str]) -> None:
        await self._workload.writes.run(partial(store_answer, self._service, turn, "".join(said)))

    async def _keep(self, turn: Turn | None, said: list[str]) -> None:
        """Store the part of an answer that the user has seen."""
        if turn is not None and said:
            with suppress(RequestError):  # the conversation was deleted meanwhile
                await self._store(turn, said)

    async def _fail(self, conversation: str, body: Mapping[str, Any], error: RequestError) -> None:
        frame = _frame(conversation, body, "FAILED", errorMessage=error.sentence, statusCode=error.status)
        await self._send(frame)

    async def _send(self, frame: str) -> None:
        left = suppress(WebSocketDisconnect, RuntimeError, OSError)
        with left, self._workload.held.holding(len(frame)):
            async with self._sending:
                await self._socket.send_text(frame)


def _refusal(error: Exception) -> RequestError:
    if isinstance(error, RequestError):
        return error
    logger.error("A question failed", exc_info=error)
    return RequestError(500, HTTPStatus.INTERNAL_SERVER_ERROR.phrase)


def _frame(conversation: str, body: Mapping[str, Any], status: str, **parts: Any) -> str:
    request = body.get("request") if isinstance(body.get("request"), str) else new_id()
    return json_text({"request": request, "conversation": conversation, "status": status, **parts})
