"""The ASGI application: the one place where requests become responses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial

from starlette import requests
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..domain.identity import signed_in
from ..handlers.streams import Stream
from ..http.requests import Request
from ..http.responses import error_response, json_response
from ..request_errors import RequestError
from ..service import Service
from ..workload import ClientLeftError, Holding, WorkQueue
from .router import Router
from .routes import OPEN_PATHS, Endpoint, http_routes, stream_routes
from .unserved import not_served

logger = logging.getLogger("pieces_orm.server")

_LISTEN_AFTER_S = 0.1  # most requests are answered before: to listen for a client that leaves would only slow them down


class Application:
    """The ASGI application, without the guard around it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._workload = service.workload
        self._http: Router[Endpoint] = Router()
        self._streams: Router[Stream | None] = Router()
        self._extensions: Router[Endpoint] = Router()
        for method, path, endpoint in http_routes():
            if not endpoint.is_extension:
                self._http.add(method, path, endpoint)
            elif service.settings.extensions:
                self._extensions.add(method, path, endpoint)
        for path, stream in stream_routes():
            self._streams.add("GET", path, stream)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one stream."""
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send)
        elif scope["type"] == "http":
            # The client may leave before its request is complete, or before it is begun.
            with suppress(requests.ClientDisconnect, ClientLeftError), self._workload.held.holding() as holding:
                response = await self._response(scope, receive, holding)
                holding.resize(len(response.body))
                await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive, holding: Holding) -> Response:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        path = _path(scope)
        found = self._http.find(method, path) or self._extensions.find(method, path)
        if found is None:
            return self._no_such_route(path)
        endpoint, params = found
        if endpoint.needs_user and not signed_in(self._service.settings):
            return error_response(401, "Nobody is signed in.")
        query = QueryParams(scope["query_string"]) if scope["query_string"] else {}
        try:
            body = await self._body(requests.Request(scope, receive).stream(), holding)
        except RequestError as error:
            return error_response(error.status, error.sentence, close=True)
        request = Request(self._service, params, query, body)
        try:
            if endpoint.coroutine is not None:
                return json_response(await _while_there(endpoint.coroutine(request), receive))
            queue = endpoint.queue(self._workload)
            if endpoint.inline and self._service.store.idle and queue.has_room(holding.size):
                return _handle(endpoint, request)
            return await _in_turn(queue, partial(_handle, endpoint, request), receive, holding)
        except RequestError as error:
            return error_response(error.status, error.sentence)
        except ClientLeftError:
            raise
        except Exception:
            logger.exception("%s %s failed", method, path)
            return error_response(500)

    async def _body(self, parts: AsyncIterator[bytes], holding: Holding) -> bytes:
        """Read a body.

        Raises:
            RequestError: 413, it is too large; 503, the server holds too much already. The rest is not read.
        """
        held, limit = self._workload.held, self._service.settings.max_body
        body = bytearray()
        async for part in parts:
            body += part
            holding.resize(len(body))
            if len(body) > limit:  # its length was not announced, or the guard would have refused it
                raise RequestError(413, f"The body is over {limit} bytes.")
            if part and held.is_full(len(body)):
                raise held.refusal()
        return bytes(body)

    def _no_such_route(self, path: str) -> Response:
        allowed = ", ".join(sorted({*self._http.methods(path), *self._extensions.methods(path)}))
        if allowed:
            response = error_response(405, f"This path answers {allowed}.")
            response.headers["allow"] = allowed
            return response
        return error_response(404, "There is no such route.")

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        found = self._streams.find("GET", _path(scope))
        stream = None if found is None else found[0]
        if stream is None:
            refused = error_response(404, "There is no such stream.") if found is None else not_served()
            await refused(scope, receive, send)
            return
        if scope["path"] not in OPEN_PATHS and not signed_in(self._service.settings):
            await error_response(401, "Nobody is signed in.")(scope, receive, send)
            return
        await socket.accept()
        try:
            await stream(self._service, socket)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The client left while a frame was on its way.
            logger.debug("A stream of %s ended", scope["path"], exc_info=True)


def _handle(endpoint: Endpoint, request: Request) -> Response:
    answer = endpoint.handler(request)
    return json_response(answer) if isinstance(answer, str) else answer


async def _while_there(answer: Awaitable[str], receive: Receive) -> str:
    """Wait for an answer for as long as its client does.

    Raises:
        ClientLeftError: the client left, and the answer was cancelled.
    """
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientLeftError
        return answering.result()
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _in_turn(queue: WorkQueue, work: Callable[[], Response], receive: Receive, holding: Holding) -> Response:
    """Handle a request in a thread, when it is its turn, for as long as its client is there."""
    loop = asyncio.get_running_loop()
    leaving: asyncio.Future[None] = loop.create_future()
    listening: list[asyncio.Task[None]] = []
    timer = loop.call_later(_LISTEN_AFTER_S, lambda: listening.append(loop.create_task(_tell(receive, leaving))))
    try:
        return await queue.run(work, holding=holding, leaving=leaving)
    finally:
        timer.cancel()
        for task in listening:
            task.cancel()


async def _tell(receive: Receive, leaving: asyncio.Future[None]) -> None:
    await _left(receive)
    if not leaving.done():
        leaving.set_result(None)


async def _left(receive: Receive) -> None:
    """Wait until the client leaves; its request is read already."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _path(scope: Scope) -> str:
    """Return the path as it was sent, as an encoded slash in an id is not a separator."""
    raw_path: bytes = scope["raw_path"]
    return raw_path.decode("latin-1").partition("?")[0]
