"""WebSocket streams: a first full frame, then what commits change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from ...wire.kinds import ASSET, Kind
from ..domain.change_hub import Subscription
from ..domain.documents import collection_text
from ..domain.materials import is_pseudo
from ..json_values import json_text
from ..request_errors import RequestError
from ..service import Service
from ..storage.reader import Page, Selection
from ..storage.writer import Operation
from ..workload import ClientLeftError

Stream = Callable[[Service, WebSocket], Awaitable[None]]
Taken = Mapping[tuple[str, str], Operation]
Frame = Callable[[Service, Taken | None], str | None]

# Close codes of RFC 6455 and its registry.
_GOING_AWAY, _TRY_AGAIN_LATER = 1001, 1013
_MAX_REASON_BYTES = 123


def changes_stream(kinds: frozenset[str], frame: Frame) -> Stream:
    """Make a stream that sends `frame(service, None)` first, then a frame for the changes of commits.

    A frame that is None is not sent.
    """

    async def serve(service: Service, socket: WebSocket) -> None:
        # Subscribed before the first frame is read, so that a commit in between is not lost.
        with service.hub.subscribe(kinds, service.settings.stream_backlog) as subscription:
            listening = asyncio.create_task(_close_when_client_leaves(socket, subscription))
            reason = ""
            try:
                try:
                    await _send(service, socket, frame, None, listening)
                    while taken := await subscription.take():
                        await _send(service, socket, frame, taken, listening)
                except RequestError as error:
                    reason = error.sentence.encode()[:_MAX_REASON_BYTES].decode("utf-8", "ignore")
                except ClientLeftError:
                    pass
                if not listening.done():
                    await socket.close(_GOING_AWAY if subscription.closed else _TRY_AGAIN_LATER, reason)
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    return serve


async def _send(
    service: Service, socket: WebSocket, frame: Frame, taken: Taken | None, leaving: asyncio.Future[None]
) -> None:
    text = await service.workload.frames.run(partial(frame, service, taken), leaving=leaving)
    if text is not None:
        with service.workload.held.holding(len(text)):
            await socket.send_text(text)


async def _close_when_client_leaves(socket: WebSocket, subscription: Subscription) -> None:
    """Read what the client sends, which is ignored, until it leaves."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
    subscription.close()


def once(text: Callable[[Service], str | None]) -> Stream:
    """Make a stream that sends one frame, or none, and stays open."""
    return changes_stream(frozenset(), lambda service, _: text(service))


def identifier_stream(kind: Kind) -> Stream:
    """Make the stream of a kind's ids: all, newest first, then each that changes."""
    return changes_stream(frozenset({kind.name}), partial(_identifier_frame, kind))


def _identifier_frame(kind: Kind, service: Service, taken: Taken | None) -> str:
    if taken is None:
        with service.store.read() as reader:
            ids = reader.ids(kind.name)
        return '{"iterable":[' + ",".join(f'{{"{kind.stream}":{{"id":"{id}"}}}}' for id in ids) + "]}"
    entries = [
        {kind.stream: {"id": id}} | ({"deleted": True} if operation == "delete" else {})
        for (_, id), operation in taken.items()
    ]
    return json_text({"iterable": entries})


def assets_stream(*, contents: bool) -> Stream:
    """Make the stream of all assets, then of those that change; a deleted one has the index -1."""
    return changes_stream(frozenset({ASSET.name}), partial(_assets_frame, contents))


def _assets_frame(contents: bool, service: Service, taken: Taken | None) -> str | None:
    with service.store.read() as reader:
        documents = service.documents(reader, contents=contents)
        if taken is None:
            found = documents.some(ASSET, reader.selected_ids(ASSET.name, Selection(pseudo=False), Page()))
            return collection_text(ASSET, list(found), found.values())
        found = documents.some(ASSET, [id for (_, id), operation in taken.items() if operation != "delete"])
        found = {id: text for id, text in found.items() if not is_pseudo(documents.row(ASSET, id))}
    taken = {key: operation for key, operation in taken.items() if operation == "delete" or key[1] in found}
    if not taken:
        return None
    indices = {id: position for position, id in enumerate(found)}
    indices |= {id: -1 for _, id in taken if id not in found}
    return f'{{"iterable":[{",".join(found.values())}],"indices":{json_text(indices)}}}'
