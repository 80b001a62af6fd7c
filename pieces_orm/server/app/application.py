"""The application: routes from the tables, and one place where calls become answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from ...wire.associations import ASSOCIATIONS
from ...wire.kinds import ASSET, KINDS
from ...wire.routes import HEALTH, VERSION
from ..handlers import association_reads, associations, materials
from ..handlers.applications import signed_in
from ..handlers.streams import Stream, identifier_stream
from ..http.answers import Call, Handler, RefusedError, Target, refusal
from ..search import material_search
from ..service import Service
from .router import Router
from .routes import OPEN, ROUTES, STREAMS
from .unserved import not_here, unserved

logger = logging.getLogger("pieces_orm.server")


def http_routes() -> Iterator[tuple[str, str, Target]]:
    """Every HTTP route: special ones first, which take the place of general ones."""
    seen: set[tuple[str, str]] = set()
    # One document other than an asset is a few look-ups by key.
    quick = {kind.route("read").path for kind in KINDS.values() if kind is not ASSET} | {HEALTH.path, VERSION.path}
    for method, path, handler in (*ROUTES, *_general_routes()):
        if (method, path) not in seen:
            seen.add((method, path))
            yield method, path, Target(handler, quick=method == "GET" and path in quick, signed_in=path not in OPEN)
    for method, path in unserved():
        yield method, path, Target(not_here)


def _general_routes() -> Iterator[tuple[str, str, Handler]]:
    for kind in KINDS.values():
        for verb, make in {**materials.VERBS, "search": material_search.search}.items():
            if verb in kind.routes:
                route = kind.route(verb)
                yield route.method, route.path, make(kind)
        yield kind.newer_batch.method, kind.newer_batch.path, materials.newer_batch(kind)
    for row in ASSOCIATIONS:
        yield "POST", row.path("associate"), associations.associate(row)
        yield "POST", row.path("disassociate"), associations.disassociate(row)
        if row.older is not None:
            yield "POST", row.older, associations.disassociate(row)
    yield from association_reads.routes()


def stream_routes() -> Iterator[tuple[str, Stream]]:
    """Every WebSocket route."""
    yield from STREAMS
    for kind in KINDS.values():
        if "stream" in kind.routes:
            yield kind.route("stream").path, identifier_stream(kind)


class Application:
    """The ASGI application, without the guard around it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._http: Router[Target] = Router()
        self._streams: Router[Stream] = Router()
        for method, path, target in http_routes():
            self._http.add(method, path, target)
        for path, stream in stream_routes():
            self._streams.add("GET", path, stream)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one stream."""
        if scope["type"] == "websocket":
            await self._stream(scope, receive, send)
        elif scope["type"] == "http":
            response = await self._answer(scope, receive)
            await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        found = self._http.find(method, path)
        if found is None:
            return self._not_found(path)
        target, params = found
        if target.signed_in and not signed_in(self._service):
            return refusal(401, "Nobody is signed in.")
        query = QueryParams(scope["query_string"]) if scope["query_string"] else {}
        call = Call(self._service, params, query, await Request(scope, receive).body())
        try:
            if target.quick and self._service.store.idle:
                return target.handler(call)
            return await run_in_threadpool(target.handler, call)
        except RefusedError as error:
            return refusal(error.status, error.sentence)
        except Exception:
            logger.exception("%s %s failed", method, path)
            return refusal(500)

    def _not_found(self, path: str) -> Response:
        allowed = ", ".join(self._http.methods(path))
        if allowed:
            answer = refusal(405, f"This path answers {allowed}.")
            answer.headers["allow"] = allowed
            return answer
        if self._streams.find("GET", path):
            return refusal(426, "This path is a WebSocket.")
        return refusal(404, "There is no such route.")

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        found = self._streams.find("GET", scope["raw_path"].decode("latin-1").partition("?")[0])
        if found is None:
            await socket.close(1008, "There is no such stream.")
            return
        if scope["path"] not in OPEN and not signed_in(self._service):
            await socket.close(1008, "Nobody is signed in.")
            return
        await socket.accept()
        try:
            await found[0](self._service, socket)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The other side left while a frame was on its way.
            logger.debug("A stream of %s ended", scope["path"], exc_info=True)
