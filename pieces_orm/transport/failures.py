"""Errors for what goes wrong with a request: one sentence for each cause, in words that name the remedy."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPException, IncompleteRead
from typing import Any

import requests
import urllib3
from attrs import frozen

from ..errors import (
    AnswerTooLargeError,
    InvalidRequestError,
    NotAuthorizedError,
    NotFoundError,
    NotRunningError,
    RequestTimeout,
    ResponseError,
    ServerError,
    TransportError,
    UpgradeRequiredError,
)
from ..values import Timeout
from ..wire import routes
from .bodies import COMPRESSED_PART
from .pacing import MIN_BYTES_PER_S, Budget, OversizeError, SendingError, SlowError

TOO_MANY_REQUESTS = 429
# Letters of a server's own words that an error's message repeats; all of them are in its `body`.
MAX_SAID = 300
NO_HOST = "there is no host of this name"
REMEDY = "Start Pieces OS, or `pieces-orm serve`, or use pieces_orm.embedded()"
# All that can go wrong with a connection and with the head and the frames of an answer.
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError, OverflowError)
_TIMEOUTS = (TimeoutError, urllib3.exceptions.TimeoutError)
_INCOMPLETE = (IncompleteRead, urllib3.exceptions.IncompleteRead)


@frozen
class Attempt:
    """A request that is under way, as its errors name it.

    Args:
        url: of the server.
        repeatable: whether sending it twice does no harm.
        timeout: as it was passed to the session.
        max_answer: bytes of an answer.
        budget: of all attempts.
    """

    method: str
    path: str
    url: str
    repeatable: bool
    timeout: Timeout
    max_answer: int
    budget: Budget

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Raise errors of this package for what goes wrong with the connection inside."""
        try:
            yield
        except urllib3.exceptions.NewConnectionError as error:
            raise self._unreachable(error) from error
        except OversizeError as error:
            raise self._lost(AnswerTooLargeError, self._too_large(error)) from None
        except _BROKEN as error:
            # Without the library's own error: a traceback would print what the server sent as it is.
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> TransportError:
        # A local list of errors in the frame that catches them would be a circle, which keeps sockets from closing.
        causes = list(_causes(error))
        if any(isinstance(each, urllib3.exceptions.ConnectTimeoutError) for each in causes):
            # It never arrived.
            return self._error(RequestTimeout, self._no_connection())
        if any(isinstance(each, _TIMEOUTS) for each in causes):
            return self._lost(RequestTimeout, self._late(causes))
        return self._lost(TransportError, f"the connection to {self.url} broke: {words(error)}.")

    def _error(self, kind: type[TransportError], message: str) -> TransportError:
        return kind(f"{self.method} {self.path}: {message}", method=self.method, path=self.path)

    def _lost(self, kind: type[TransportError], message: str) -> TransportError:
        """Return the error for an answer that was lost: of a write it leaves open whether it was done."""
        # To connect an application again does no harm.
        is_write = not self.repeatable and self.path != routes.CONNECT.path
        doubt = " It may have been done: look before you repeat it." if is_write else ""
        return self._error(kind, message + doubt)

    def _unreachable(self, error: Exception) -> NotRunningError:
        """Return the error for a connection that was never made: the request certainly never arrived."""
        request = f"({self.method} {self.path})"
        if isinstance(error, urllib3.exceptions.NameResolutionError):
            message = f"{self.url}: {NO_HOST}; look at the address {request}."
        else:
            message = f"No server answers at {self.url} {request}. {REMEDY}."
        return NotRunningError(message, method=self.method, path=self.path)

    def _too_large(self, error: OversizeError) -> str:
        most = error.args[0] if error.args else self.max_answer
        compressed = "" if most == self.max_answer else f", 1/{COMPRESSED_PART} of it for a compressed one"
        return (
            f"the answer of {self.url} is larger than {most:,} bytes; if you trust it, pass a "
            f"larger max_answer= to connect() (it is {self.max_answer:,}{compressed})."
        )

    def _no_connection(self) -> str:
        first, _, argument = self._seconds(0)
        return (
            f"no connection to {self.url} within {first:g} s; look at the address and the network, or raise {argument}."
        )

    def _late(self, causes: list[BaseException]) -> str:
        """Return the cause of a timeout after the connection was made."""
        first, second, argument = self._seconds(1)
        if self.budget.seconds_left <= 0:
            whole = f"not complete within {self.budget.seconds:g} s, the time for a whole request"
            return f"the answer of {self.url} was {whole}; look at the server, or raise the third number of timeout=."
        if any(isinstance(each, SendingError) for each in causes):
            _, _, argument = self._seconds(0)
            return f"{self.url} did not take the request within {first:g} s; look at the server, or raise {argument}."
        if any(isinstance(each, SlowError) for each in causes):
            slow = f"came more slowly than {MIN_BYTES_PER_S:,} bytes/s for {second:g} s"
            return f"the answer of {self.url} {slow}; look at the server, or raise {argument}."
        return f"no byte from {self.url} for {second:g} s; look at the server, or raise {argument}."

    def _seconds(self, place: int) -> tuple[float, float, str]:
        """Return the seconds to connect and to wait, and the name of the number at this place."""
        if isinstance(self.timeout, tuple):
            return self.timeout[0], self.timeout[1], f"the {('first', 'second')[place]} number of timeout="
        return self.timeout, self.timeout, "timeout="


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it is about: urllib3 says of a timeout in sending that the connection broke."""
    yield error
    about = error.__cause__, *(each for each in error.args if isinstance(each, BaseException))
    for each in about:
        if each is not None:
            yield from _causes(each)


def words(error: BaseException) -> str:
    """Return the innermost cause of an error in words, without a full stop."""
    inner = list(_causes(error))[-1]
    if isinstance(inner, _INCOMPLETE):
        return "the answer is cut off or malformed"
    if isinstance(inner, BadStatusLine) and not isinstance(inner, OSError):
        return f"this is not how an answer begins: {str(inner).strip()[:MAX_SAID]!r}"
    said = (isinstance(inner, OSError) and inner.strerror) or str(inner) or type(inner).__name__
    return said.rstrip(".")


def error_for(status: int, data: bytes, method: str, path: str, wait: float | None = None) -> ResponseError:
    """Return the error that a status stands for; the server's own words are in its message.

    Args:
        wait: seconds after which the server says to try again; None: it does not say.
    """
    body = data.decode("utf-8", "replace")
    said = _said(body)
    where = f"{method} {path}"
    about: dict[str, Any] = {"status": status, "body": body, "method": method, "path": path}
    if status in (404, 410):
        return NotFoundError(f"{where}: not there (status {status}{said}).", **about)
    if status in (401, 403):
        remedy = "" if status == 403 and said else " Sign in to Pieces OS, or check token, api_key and address."
        message = f"{where}: refused (status {status}{said}).{remedy}"
        return NotAuthorizedError(message, **about)
    if status == 593:
        return UpgradeRequiredError(f"{where}: the server must be updated first (status 593{said}).", **about)
    if status == TOO_MANY_REQUESTS:
        when = "later" if wait is None else f"in {wait:.0f} s"
        return ServerError(f"{where}: too many requests (status 429{said}). Send it again {when}.", **about)
    if 400 <= status < 500:
        return InvalidRequestError(f"{where}: the server refuses the request (status {status}{said}).", **about)
    if status < 400:
        message = f"{where}: this is not an answer of a Pieces server (status {status}{said}). Is this its address?"
        return ServerError(message, **about)
    return ServerError(f"{where}: the server failed (status {status}{said}).", **about)


def _said(body: str) -> str:
    """Return the words of an error body, on one line: plain text, or JSON with an `error`."""
    with contextlib.suppress(ValueError, RecursionError):
        parsed = json.loads(body)
        body = str(parsed.get("error", parsed)) if isinstance(parsed, dict) else str(parsed)
    words = " ".join(body[:MAX_SAID].split())
    return f": {words}" if words else ""
