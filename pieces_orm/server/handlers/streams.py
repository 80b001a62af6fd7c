"""WebSocket streams: a first full frame, then what commits change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from ...wire.kinds import ASSET, Kind
from ..domain.change_hub import Subscription
from ..domain.documents import collection_text, text_of
from ..service import Service
from ..storage.writer import Operation
from .materials import pseudo

Stream = Callable[[Service, WebSocket], Awaitable[None]]
Taken = Mapping[tuple[str, str], Operation]
Frame = Callable[[Service, Taken | None], str | None]

GOING_AWAY, TRY_AGAIN = 1001, 1013


def changes_stream(kinds: frozenset[str], frame: Frame) -> Stream:
    """A stream that sends `frame(None)` first and `frame(changes)` after commits; a None frame is not sent."""

    async def serve(service: Service, socket: WebSocket) -> None:
        # Subscribed before the first frame is read: a commit in between comes as a delta, none is lost.
        with service.hub.subscribe(kinds, service.settings.stream_backlog) as subscription:
            listening = asyncio.create_task(_gone(socket))
            try:
                await _send(service, socket, frame, None)
                await _deltas(service, socket, frame, subscription, listening)
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    return serve


async def _deltas(
    service: Service, socket: WebSocket, frame: Frame, subscription: Subscription, listening: asyncio.Task[None]
) -> None:
    while True:
        taking = asyncio.create_task(subscription.take())
        await asyncio.wait({taking, listening}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            taking.cancel()
            return
        if subscription.closed or subscription.overrun:
            await socket.close(TRY_AGAIN if subscription.overrun else GOING_AWAY)
            return
        taken = taking.result()
        if taken:
            await _send(service, socket, frame, taken)


async def _send(service: Service, socket: WebSocket, frame: Frame, taken: Taken | None) -> None:
    text = await run_in_threadpool(frame, service, taken)
    if text is not None:
        await socket.send_text(text)


async def _gone(socket: WebSocket) -> None:
    """Return when the other side has left; what it sends is of no interest."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass


def identifier_stream(kind: Kind) -> Stream:
    """All ids of a kind, newest first, then each id that changes."""

    def frame(service: Service, taken: Taken | None) -> str:
        if taken is None:
            with service.store.read() as reader:
                ids = reader.ids(kind.name)
            return '{"iterable":[' + ",".join(f'{{"{kind.stream}":{{"id":"{id}"}}}}' for id in ids) + "]}"
        entries = [
            {kind.stream: {"id": id}} | ({"deleted": True} if operation == "delete" else {})
            for (_, id), operation in taken.items()
        ]
        return text_of({"iterable": entries})

    return changes_stream(frozenset({kind.name}), frame)


def assets_stream(*, contents: bool) -> Stream:
    """All assets, then those that change; a deleted one has the index -1."""

    def frame(service: Service, taken: Taken | None) -> str | None:
        with service.store.read() as reader:
            documents = service.documents(reader, contents=contents)
            if taken is None:
                ids = [id for id in documents.all(ASSET) if not pseudo(documents.row(ASSET, id))]
                return collection_text(ASSET, ids, [documents.document(ASSET, id) for id in ids])
            found = documents.some(ASSET, [id for (_, id), operation in taken.items() if operation != "delete"])
            found = {id: text for id, text in found.items() if not pseudo(documents.row(ASSET, id))}
        taken = {key: operation for key, operation in taken.items() if operation == "delete" or key[1] in found}
        if not taken:
            return None
        indices = {id: position for position, id in enumerate(found)}
        indices |= {id: -1 for _, id in taken if id not in found}
        return f'{{"iterable":[{",".join(found.values())}],"indices":{text_of(indices)}}}'

    return changes_stream(frozenset({ASSET.name}), frame)


def once(text: Callable[[Service], str | None]) -> Stream:
    """A stream that says one thing, or nothing, and stays open."""

    async def serve(service: Service, socket: WebSocket) -> None:
        with service.hub.subscribe(frozenset(), 1) as subscription:
            said = await run_in_threadpool(text, service)
            if said is not None:
                await socket.send_text(said)
            listening = asyncio.create_task(_gone(socket))
            closing = asyncio.create_task(subscription.take())
            try:
                await asyncio.wait({listening, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    await socket.close(GOING_AWAY)
            finally:
                listening.cancel()
                closing.cancel()

    return serve
