"""HTTP through the connection pool of requests: timeouts, retries, errors for statuses.

A request goes to the pool as it is. What requests does for each one on its way there (merging the session's settings,
looking for proxies, parsing the address, building a response with cookies and history) costs more than the request.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from ..concurrency.forking import fork_safe
from ..errors import AnswerTooLargeError, InvalidValueError, NotRunningError, RequestTimeout, TransportError
from ..values import Timeout
from ..wire.extensions import EXTENSIONS_HEADER, names_in
from . import bodies
from .backoff import pause_after
from .failures import TOO_MANY_REQUESTS, Attempt, error_for
from .pacing import Budget, paced

T = TypeVar("T")
# Makes something of the body of an answer from the pieces in which it comes.
Take = Callable[[Iterator[bytes]], T]

Observer = Callable[[str, str, int, float], None]

MAX_ATTEMPTS = 3
RETRIED_STATUSES = frozenset({TOO_MANY_REQUESTS, 502, 503, 504})
# Seconds for a whole request, unless `timeout` says otherwise. A collection of hundreds of megabytes takes minutes on a
# slow line; nobody waits longer for an answer that trickles in.
MAX_REQUEST_S = 600.0
# Bytes of an answer, after decompression: all assets of a busy user, with their contents, may be hundreds of megabytes.
MAX_ANSWER_BYTES = 2**30
# Bytes of heads and of the frames of chunks, which come on top of an answer.
OVERHEAD_BYTES = 8 * 2**20
# Sockets kept open: each stream's thread may read a few materials at a time.
POOL_SIZE = 64
_HOST = re.compile(r"[^\s/@]+")
# Three months.
MAX_TIMEOUT_S = 1e7
# Two clocks that differ by less pass for the same.
CLOCK_TOLERANCE_S = 1.5
# For so long the answer that told the server's clock best is remembered; then clocks may have been set.
CLOCK_MEMORY_S = 60.0
# A clock that is off by more, ten years, is none.
MAX_CLOCK_OFFSET_S = 3e8
# Errors after which a request is not sent again, however harmless that would be.
_FINAL = (RequestTimeout, AnswerTooLargeError)
# Errors of reading numbers and dates in headers, which may be anything.
_ABSURD = (urllib3.exceptions.InvalidHeader, ValueError, TypeError, IndexError, OverflowError, OSError)


def query_text(query: Mapping[str, Any] | None) -> str:
    """Return a query string; None sends nothing, booleans are spelled as JSON does."""
    given = {name: value for name, value in (query or {}).items() if value is not None}
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    return f"?{urlencode(texts, quote_via=quote)}" if texts else ""


class HTTPTransport:
    """A pool of sockets to one server, with headers, timeouts and retries.

    Args:
        url: the server's address, such as http://127.0.0.1:39300.
        timeout: seconds to connect and to wait for an answer, and for a whole request; see `connect`.
        max_answer: bytes of an answer, after decompression.
        token: sent with every request as `Authorization: Bearer TOKEN`; None: nothing is.
    """

    def __init__(
        self,
        url: str,
        timeout: Timeout,
        *,
        token: str | None = None,
        max_answer: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.url = address(url)
        self.headers: dict[str, str] = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._timeout = timeout
        self._limits = limits(timeout)
        self._request_s = request_seconds(timeout)
        self._max_answer = max_answer
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=POOL_SIZE)
        fork_safe(self._adapter.poolmanager.pools.lock)
        self._pool: tuple[str, Any] | None = None
        # The extensions of the wire that the last answer named, and its header.
        self.extensions: frozenset[str] = frozenset()
        self._named: str | None = None
        # The last date that an answer told, and seconds by which it was ahead of our clock, with the time of that.
        self._date: str | None = None
        self._ahead = (0.0, float("-inf"))

    @property
    def clock_offset(self) -> float:
        """Seconds by which the server's clock is ahead of ours; 0 when it is about the same, or answers do not say."""
        ahead = self._ahead[0]
        return ahead if abs(ahead) > CLOCK_TOLERANCE_S else 0.0

    def _note_date(self, date: str) -> None:
        """Compare the server's clock, as an answer tells it, with ours."""
        if date == self._date:
            return
        self._date = date
        with contextlib.suppress(*_ABSURD):
            # Answers tell whole seconds only.
            ahead, now = parsedate_to_datetime(date).timestamp() + 0.5 - time.time(), time.monotonic()
            # A late answer makes the server look behind: the one that was least late is right.
            is_best = ahead > self._ahead[0] or now - self._ahead[1] > CLOCK_MEMORY_S
            if is_best and abs(ahead) < MAX_CLOCK_OFFSET_S:
                self._ahead = ahead, now

    def forget_extensions(self) -> None:
        """Take the server for one without extensions until its next answer."""
        self._named, self.extensions = None, frozenset()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        accept: str = "*/*",
        repeatable: bool | None = None,
        attempts: int = MAX_ATTEMPTS,
        take: Take[Any] | None = None,
        observe: Observer | None = None,
    ) -> Any:
        """Send a request and return the body of the answer, or what is taken from it as it comes.

        A read is tried again after lost connections, 429 and 502-504; a write only when it certainly never arrived.
        Where an answer says when to try again, that is the pause, if it ends within the time to wait for an answer.
        All attempts and pauses together keep to the time for a whole request.

        Args:
            repeatable: whether sending twice does no harm; None: GET and HEAD are.
            attempts: how often to try at most.
            take: makes something of the pieces of a large body; None: they are joined.
            observe: called after each attempt with method, path, status (0: no answer) and seconds.

        Raises:
            TransportError: no whole answer. NotRunningError: no server there. RequestTimeout: none in time.
            AnswerTooLargeError: more than `max_answer`.
            ResponseError: the server answered with an error status; see the error's class.
        """
        repeatable = method in ("GET", "HEAD") if repeatable is None else repeatable
        target = f"{path}{query_text(query)}"
        headers = {**self.headers, "Accept": accept, **({} if body is None else {"Content-Type": "application/json"})}
        patience = self._limits.read_timeout or 0.0
        budget = Budget(self._request_s, 2 * self._max_answer + OVERHEAD_BYTES)
        attempt = Attempt(method, path, self.url, repeatable, self._timeout, self._max_answer, budget)
        for remaining in reversed(range(attempts)):
            pause = pause_after(attempts - remaining)
            try:
                with budget:
                    status, data, wait = self._exchange(attempt, target, headers, body, take, observe)
            except TransportError as error:
                never_arrived = isinstance(error, NotRunningError)
                may_repeat = never_arrived or (repeatable and not isinstance(error, _FINAL))
                if not remaining or not may_repeat or budget.seconds_left < pause:
                    raise
            else:
                if _is_success(status):
                    return data
                patience -= wait or 0.0
                pause = max(pause, wait or 0.0)
                may_repeat = repeatable and status in RETRIED_STATUSES and patience >= 0
                if not remaining or not may_repeat or budget.seconds_left < pause:
                    raise error_for(status, data, method, path, wait)
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _exchange(
        self,
        attempt: Attempt,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        take: Take[Any] | None,
        observe: Observer | None,
    ) -> tuple[int, Any, float | None]:
        start = time.perf_counter()
        status = 0
        try:
            with attempt.errors():
                response = self._connected().urlopen(
                    attempt.method, target, body, headers, retries=False, redirect=False, timeout=self._limits,
                    preload_content=False, decode_content=False,
                )  # fmt: skip
            status = response.status
            date = response.headers.get("date")
            if date is not None:
                self._note_date(date)
            named = response.headers.get(EXTENSIONS_HEADER)
            if named != self._named:
                self._named, self.extensions = named, names_in(named or "")
            try:
                # Reading the raw stream once costs a third of Response.content on large bodies.
                if take and _is_success(status):
                    data = take(self._pieces(response, attempt))
                else:
                    with attempt.errors():
                        success = _is_success(status)
                        data = bodies.whole(response, self._max_answer) if success else bodies.beginning(response)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        finally:
            if observe is not None:
                observe(attempt.method, attempt.path, status, time.perf_counter() - start)
        return status, data, None if _is_success(status) else self._wait_of(response)

    def _wait_of(self, response: urllib3.BaseHTTPResponse) -> float | None:
        """Return the seconds after which an answer says to try again; None when it does not say."""
        with contextlib.suppress(*_ABSURD):
            wait = Retry().get_retry_after(response)
            is_date = not response.headers.get("retry-after", "").strip().isdigit()
            return None if wait is None else max(0.0, float(wait) - (self.clock_offset if is_date else 0.0))
        return None

    def _pieces(self, response: urllib3.BaseHTTPResponse, attempt: Attempt) -> Iterator[bytes]:
        found = bodies.pieces(response, self._max_answer)
        while True:
            with attempt.errors():
                piece = next(found, None)
            if piece is None:
                return
            with attempt.budget.paused():
                yield piece

    def _connected(self) -> Any:
        """Return the pool of sockets to the server, with certificates checked where the address says https."""
        url = self.url
        if self._pool is None or self._pool[0] != url:
            request = requests.Request("GET", url).prepare()
            adapter: Any = self._adapter
            pool = adapter.get_connection_with_tls_context(request, verify=True)
            adapter.cert_verify(pool, url, verify=True, cert=None)
            pool.ConnectionCls = paced(pool.ConnectionCls)
            fork_safe(pool.pool.mutex)
            self._pool = url, pool
        return self._pool[1]

    def close(self) -> None:
        """Close the sockets."""
        with contextlib.suppress(Exception):
            self._adapter.close()


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def address(url: str) -> str:
    """Return scheme and host of a server's address; http where it names no scheme.

    Raises:
        InvalidValueError: it is not an address, or that of something within a server.
    """
    with contextlib.suppress(ValueError, TypeError):
        parts = urlsplit(url if "://" in url else "http://" + url)
        whole = parts.path in ("", "/") and not (parts.query or parts.fragment)
        if whole and parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc) and parts.port != 0:
            return f"{parts.scheme}://{parts.netloc}"
    message = f"{url!r} is not the address of a server, which looks like http://127.0.0.1:39300, without a path."
    raise InvalidValueError(message)


def limits(timeout: Any) -> urllib3.Timeout:
    """Return the seconds to connect and to wait for an answer.

    Raises:
        InvalidValueError: it is neither a number above 0 nor two or three of them.
    """
    given = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    numbers = [each for each in given if isinstance(each, int | float) and not isinstance(each, bool)]
    if 2 <= len(given) == len(numbers) <= 3 and all(0 < each <= MAX_TIMEOUT_S for each in numbers):
        return urllib3.Timeout(connect=given[0], read=given[1])
    message = (
        "timeout takes seconds above 0, one number, two (to connect, to wait) or three (and for a whole request), "
        f"not {timeout!r}."
    )
    raise InvalidValueError(message)


def request_seconds(timeout: Timeout) -> float:
    """Return the seconds for a whole request: the third number, else MAX_REQUEST_S, or the sum of the others."""
    given = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return given[2] if len(given) == 3 else max(MAX_REQUEST_S, sum(given))
