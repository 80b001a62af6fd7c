"""The ASGI application: the one place where requests become responses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress

from starlette import requests
from starlette.concurrency import run_in_threadpool
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
from .router import Router
from .routes import OPEN_PATHS, Endpoint, http_routes, stream_routes

logger = logging.getLogger("pieces_orm.server")

_INTERNAL_ERROR = 1011  # a close code of RFC 6455
_MAX_CLOSE_REASON_BYTES = 123


class Application:
    """The ASGI application, without the guard around it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._http: Router[Endpoint] = Router()
        self._streams: Router[Stream] = Router()
        for method, path, endpoint in http_routes():
            self._http.add(method, path, endpoint)
        for path, stream in stream_routes():
            self._streams.add("GET", path, stream)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one stream."""
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send)
        elif scope["type"] == "http":
            # The client may leave before its request is complete.
            with suppress(requests.ClientDisconnect):
                response = await self._response(scope, receive)
                await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        path = _path(scope)
        found = self._http.find(method, path)
        if found is None:
            return self._no_such_route(path)
        endpoint, params = found
        if endpoint.needs_user and not signed_in(self._service.settings):
            return error_response(401, "Nobody is signed in.")
        query = QueryParams(scope["query_string"]) if scope["query_string"] else {}
        body, limit = bytearray(), self._service.settings.max_body
        async for part in requests.Request(scope, receive).stream():
            body += part
            if len(body) > limit:  # its length was not announced, or the guard would have refused it
                return error_response(413, f"The body is over {limit} bytes.", close=True)
        request = Request(self._service, params, query, bytes(body))
        try:
            if endpoint.coroutine is not None:
                return json_response(await _while_there(endpoint.coroutine(request), receive))
            if endpoint.inline and self._service.store.idle:
                return _handle(endpoint, request)
            return await run_in_threadpool(_handle, endpoint, request)
        except RequestError as error:
            return error_response(error.status, error.sentence)
        except requests.ClientDisconnect:
            raise
        except Exception:
            logger.exception("%s %s failed", method, path)
            return error_response(500)

    def _no_such_route(self, path: str) -> Response:
        allowed = ", ".join(self._http.methods(path))
        if allowed:
            response = error_response(405, f"This path answers {allowed}.")
            response.headers["allow"] = allowed
            return response
        if self._streams.find("GET", path):
            return error_response(426, "This path is a WebSocket.")
        return error_response(404, "There is no such route.")

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        found = self._streams.find("GET", _path(scope))
        if found is None:
            await socket.close(1008, "There is no such stream.")
            return
        if scope["path"] not in OPEN_PATHS and not signed_in(self._service.settings):
            await socket.close(1008, "Nobody is signed in.")
            return
        await socket.accept()
        try:
            await found[0](self._service, socket)
        except RequestError as error:
            await socket.close(
                _INTERNAL_ERROR, error.sentence.encode()[:_MAX_CLOSE_REASON_BYTES].decode("utf-8", "ignore")
            )
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The client left while a frame was on its way.
            logger.debug("A stream of %s ended", scope["path"], exc_info=True)


def _handle(endpoint: Endpoint, request: Request) -> Response:
    answer = endpoint.handler(request)
    return json_response(answer) if isinstance(answer, str) else answer


async def _while_there(answer: Awaitable[str], receive: Receive) -> str:
    """Wait for an answer for as long as its client does.

    Raises:
        ClientDisconnect: the client left, and the answer was cancelled.
    """
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise requests.ClientDisconnect
        return answering.result()
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    """Wait until the client leaves; its request is read already."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _path(scope: Scope) -> str:
    """Return the path as it was sent, as an encoded slash in an id is not a separator."""
    raw_path: bytes = scope["raw_path"]
    return raw_path.decode("latin-1").partition("?")[0]
