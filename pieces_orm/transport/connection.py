"""Connections: the address of a server, this program's application, requests, and their end."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..concurrency.forking import fork_safe
from ..concurrency.turns import Turns
from ..documents import answers, decoding
from ..errors import DecodeError, DetachedError, NotRunningError, PiecesError, ResponseError, UsageError
from ..signals import Dispatch, Signals
from ..values import Application, Model, Timeout
from ..wire import paths, routes
from ..wire.closed_lists import NO_SUCH_ROUTE
from ..wire.kinds import Route
from .http import MAX_ANSWER_BYTES, HTTPTransport, T, Take
from .registration import Registration

_log = logging.getLogger("pieces_orm.transport.connection")

# A route that the server does not have is asked for again after so long, then after ever longer: another server may
# be there meanwhile, and a single 404 may have been a proxy's.
FIRST_UNSUPPORTED_S = 10.0
MAX_UNSUPPORTED_S = 300.0
UNSUPPORTED_GROWTH = 4

Find = Callable[[str], str | None]


class _Search:
    """The search for a server that may have moved, made once for all threads that look at a time."""

    def __init__(self, find: Find) -> None:
        self.find = find
        self.lock = fork_safe(threading.Lock())
        self.last_at = 0.0


class NoExtensionError(Exception):
    """The server that answers does not have an extension of the wire: nothing was done, and there is another way."""


class Connection:
    """The way to one server: its address, this program's application, and requests.

    Args:
        find: given the address that was lost, returns where the server is now, or None; without it the address never
            changes.
        sender: of the signal `requested`.
    """

    def __init__(
        self,
        url: str,
        *,
        application: str,
        api_key: str | None,
        timeout: Timeout,
        dispatch: Dispatch | None,
        find: Find | None = None,
        token: str | None = None,
        max_answer: int = MAX_ANSWER_BYTES,
        sender: Any = None,
    ) -> None:
        self.signals = Signals(dispatch)
        self._transport = HTTPTransport(url, timeout, token=token, max_answer=max_answer)
        self.max_answer = max_answer
        self._sender = sender
        self._registration = Registration(self._transport, application, api_key)
        self._search = None if find is None else _Search(find)
        self._parent: Connection | None = None
        self.is_closed = False
        # True in a forked child, whose threads, sockets and server are its parent's.
        self.is_inherited = False
        self._requested: deque[dict[str, Any]] = deque()
        # By route or feature: how often it was found missing, and until when it is not asked for.
        self._unsupported: dict[str, tuple[int, float]] = {}
        self._supported: set[str] = set()
        # Of calls that find or create materials with the same natural keys.
        self.turns = Turns()

    def scope(self, dispatch: Dispatch | None) -> Connection:
        """Return another way to the same server over the same sockets, with signals and an end of its own."""
        self.check_open()
        own = Connection.__new__(Connection)
        # Shared by all scopes, because it is about the server: transport, registration, search and routes.
        vars(own).update(vars(self), signals=Signals(dispatch), _requested=deque(), _parent=self._parent or self)
        return own

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._transport.url

    def check_open(self) -> None:
        """Raise DetachedError when the session is closed."""
        self.check_inherited()
        if self.is_closed:
            message = f"The session on {self.url} is closed; open another."
            if self._parent is not None and not self._parent.is_closed:
                message = f"This scope of the session on {self.url} is closed; open another with session.scope()."
            raise DetachedError(message)

    def check_inherited(self) -> None:
        """Raise DetachedError when this process was forked after the session was opened."""
        if self.is_inherited:
            message = f"The session on {self.url} belongs to the parent process: open another after the fork, here."
            raise DetachedError(message)

    # The application -----------------------------------------------------------------------------------------------

    @property
    def application(self) -> Application:
        """This program as the server knows it; a frozen value.

        Requests: none, or the one POST /connect that any first request makes.
        """
        if self._registration.is_due:
            self.check_open()
            self._registration.connect(lambda body: self._send(routes.CONNECT, body=body))
            self._tell_requested()
        assert self._registration.application is not None
        return self._registration.application

    @property
    def extensions(self) -> frozenset[str]:
        """The extensions of the wire that the server has, as its last answer names them; see `wire.extensions`."""
        return self._transport.extensions

    def offers(self, *names: str) -> bool:
        """Tell whether the server has extensions of the wire; no, when it does not answer.

        Requests: none, or the one POST /connect that any first request makes.
        """
        if not self.extensions:
            with suppress(PiecesError):
                _ = self.application
        return self.extensions.issuperset(names)

    # A server that restarts, and may move ----------------------------------------------------------------------------

    def server_was_lost(self) -> None:
        """Record that the server went away: it may be another one when it is back.

        The application is connected again before the next request, and routes that were missing are tried again.
        """
        self._registration.lost_at = time.monotonic()
        self._transport.forget_extensions()
        self._unsupported.clear()
        self._supported.clear()

    def server_time(self) -> float:
        """Return the time of the server's clock, as far as its answers tell; seconds since 1970."""
        return time.time() + self._transport.clock_offset

    def look_again(self) -> bool:
        """Look for the server after it could not be reached; return whether it is somewhere else now."""
        if self._search is None:
            return False
        before, failed_at = self.url, time.monotonic()
        with self._search.lock:
            if self._search.last_at < failed_at and not self.is_closed:
                found = self._search.find(before)
                self._search.last_at = time.monotonic()
                if found is not None and found != before:
                    _log.info("The server moved from %s to %s", before, found)
                    self._transport.url = found
                    self.server_was_lost()
        return self.url != before

    def models(self) -> list[Model]:
        """Return the models that the server knows; frozen values.

        Requests: one GET /models.
        """
        return answers.values_of(self.call(routes.MODELS), Model, "model")

    def default_model(self) -> Model:
        """Return the first model, which summaries are made with when none is given.

        Requests: one GET /models.

        Raises:
            UsageError: the server knows none.
        """
        models = self.models()
        if not models:
            message = "The server knows no model: pass model=."
            raise UsageError(message)
        return models[0]

    # Requests ------------------------------------------------------------------------------------------------------

    def call(
        self,
        route: Route,
        ids: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        *,
        repeatable: bool | None = None,
        extension: str | None = None,
    ) -> bytes:
        """Send a request to a route; the application is connected before the first one.

        Args:
            repeatable: whether sending it twice does no harm; None: GET is.
            extension: of the wire, which the request needs.

        Raises:
            NoExtensionError: the server does not have the extension (any more); nothing was done.
        """
        data: bytes = self._call(route, ids, query, body, repeatable=repeatable, extension=extension)
        if route.answer in ("text", "nothing") and data.lstrip()[:1] == b"<":
            message = f"{route.method} {route.path} was answered by a web page: is {self.url} a Pieces server?"
            raise DecodeError(message, value=data[:80].decode("utf-8", "replace"))
        return data

    def take(
        self,
        route: Route,
        query: Mapping[str, Any] | None,
        take: Take[T],
        *,
        body: bytes | None = None,
        extension: str | None = None,
    ) -> T:
        """Read from a route and return what `take` makes of the answer's pieces; the answer is never held whole.

        Args:
            body: of a route that reads by POST.
            extension: of the wire, which the request needs.

        Raises:
            NoExtensionError: the server does not have the extension (any more).
        """
        taken: T = self._call(route, query=query, body=body, extension=extension, take=take, repeatable=True)
        return taken

    def _call(
        self,
        route: Route,
        ids: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        *,
        extension: str | None = None,
        **how: Any,
    ) -> Any:
        path = paths.path_of(route, ids or {})
        try:
            return self._send_connected(route, path, query, body, how, extension)
        except NotRunningError:
            # It was refused, so it never arrived: it may be sent once more where the server is now.
            self.server_was_lost()
            if not self.look_again():
                raise
        return self._send_connected(route, path, query, body, how, extension)

    def _send_connected(
        self,
        route: Route,
        path: str,
        query: Mapping[str, Any] | None,
        body: bytes | None,
        how: Mapping[str, Any],
        extension: str | None,
    ) -> Any:
        if route.path not in (routes.HEALTH.path, routes.VERSION.path):
            _ = self.application
        # Another server may be there since the request was chosen.
        if extension is not None and extension not in self.extensions:
            raise NoExtensionError
        try:
            return self._send(route, path, query, body, **how)
        except ResponseError as error:
            if extension in (None, *self.extensions) or error.status not in NO_SUCH_ROUTE:
                raise
            raise NoExtensionError from error

    def _send(
        self,
        route: Route,
        path: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        **how: Any,
    ) -> Any:
        self.check_open()
        return self._transport.send(
            route.method, path or route.path, query=query, body=body, accept=route.accept, observe=self._observe, **how
        )

    def post(self, route: Route, data: Any) -> bytes:
        """Send JSON data to a route."""
        return self.call(route, body=decoding.encode(data))

    def call_newer_or_older(self, newer: Route, older: Route, ids: Mapping[str, str]) -> bytes:
        """Try the newer of two routes for the same job, the older after 404, 405 or 501.

        Where the older one does it, the newer one was missing, not the material: the session remembers.
        """
        if not self.may_have(newer.path):
            return self.call(older, ids)
        try:
            return self.call(newer, ids)
        except ResponseError as error:
            if error.status not in NO_SUCH_ROUTE:
                raise
        answer = self.call(older, ids)
        self.has_not(newer.path)
        return answer

    def may_have(self, feature: str) -> bool:
        """Tell whether the server may have a route or feature of other versions: it has not said so of late."""
        return time.monotonic() >= self._unsupported.get(feature, (0, 0.0))[1]

    def has(self, feature: str) -> None:
        """Remember, until the server is lost, that it has a route or feature of other versions."""
        self._supported.add(feature)
        self._unsupported.pop(feature, None)

    def had(self, feature: str) -> bool:
        """Tell whether the server has shown a route or feature: a 404 is about a material then."""
        return feature in self._supported

    def has_not(self, feature: str) -> None:
        """Remember for a while that the server does not have a route or feature: longer each time it says so."""
        times = self._unsupported.get(feature, (0, 0.0))[0]
        seconds = min(FIRST_UNSUPPORTED_S * UNSUPPORTED_GROWTH ** min(times, 9), MAX_UNSUPPORTED_S)
        self._unsupported[feature] = times + 1, time.monotonic() + seconds

    def _observe(self, method: str, path: str, status: int, seconds: float) -> None:
        if self.signals.requested.receivers:
            self._requested.append({"method": method, "path": path, "status": status, "seconds": seconds})
            # A receiver may make requests itself: it is not called while the application is being connected.
            if path != routes.CONNECT.path:
                self._tell_requested()

    def _tell_requested(self) -> None:
        while self._requested:
            try:
                about = self._requested.popleft()
            except IndexError:
                return
            self.signals.emit(self.signals.requested, self._sender, **about)

    def close(self) -> None:
        """Make every later request raise DetachedError, and close the sockets unless this is a scope's."""
        self.is_closed = True
        if self._parent is None:
            self._transport.close()

    def stream_url(self, route: Route) -> str:
        """Return the address of a stream."""
        return f"{self.url}{route.path}"

    def stream_headers(self) -> Mapping[str, str]:
        """Return the headers to open a stream with; connects the application first."""
        _ = self.application
        return self._transport.headers
