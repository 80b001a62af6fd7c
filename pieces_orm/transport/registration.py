"""This program's application, which a server knows by an id that it gives."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import msgspec

from ..concurrency.forking import fork_safe
from ..documents import answers, decoding
from ..documents.document import malformed
from ..errors import DecodeError, ResponseError
from ..values import Application, Privacy
from ..wire.closed_lists import APPLICATION_HEADERS, APPLICATION_NAMES, UNLISTED_APPLICATION, this_platform
from .http import HTTPTransport

_log = logging.getLogger("pieces_orm.transport.connection")


class Registration:
    """An application at one server: connected before the first request, and again after the server was lost.

    Args:
        transport: whose requests say which application they are from.
        name: of the application.
        api_key: its id, if it is connected already.
    """

    def __init__(self, transport: HTTPTransport, name: str, api_key: str | None) -> None:
        self.application: Application | None = None
        # When the server went away, in seconds of the monotonic clock: it may be another one when it is back.
        self.lost_at = 0.0
        self._transport = transport
        self._name = name
        self._is_fixed = api_key is not None
        self._connected_at = 0.0
        self._lock = fork_safe(threading.Lock())
        if api_key is not None:
            self._use(_application(name, {"id": api_key}))

    @property
    def is_due(self) -> bool:
        """True if the application has to be connected before the next request."""
        if self.application is None:
            return True
        return self._connected_at < self.lost_at and not self._is_fixed

    def connect(self, send: Callable[[bytes], bytes]) -> None:
        """Connect the application if it is due, once for all threads that ask at a time.

        Args:
            send: sends the body of POST /connect, and returns the answer.
        """
        with self._lock:
            if not self.is_due:
                return
            began = time.monotonic()
            try:
                self._use(self._read(send(decoding.encode({"application": _tracked(self._name)}))))
            except ResponseError as error:
                if self.application is None:
                    raise
                # The id that the server gave before is as good as ever until it says otherwise.
                _log.info("The application could not be connected again: %s", error)
            self._connected_at = began

    def _read(self, data: bytes) -> Application:
        try:
            raw = answers.one_key(data, "application", "application")
            return _application(self._name, msgspec.json.decode(raw, type=dict[str, Any]))
        except DecodeError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise malformed(data, "application", "", error) from error

    def _use(self, application: Application) -> None:
        # Which of the two a server reads is not known: both are sent.
        named = dict.fromkeys(APPLICATION_HEADERS, application.id)
        self._transport.headers = {**self._transport.headers, **named}
        self.application = application


def _tracked(name: str) -> dict[str, Any]:
    """Return the body of /connect; the wire's list of names is closed, OPEN_SOURCE is for all others."""
    known = name in APPLICATION_NAMES
    return {
        "name": name if known else UNLISTED_APPLICATION,
        **({} if known else {"descriptor": name}),
        "version": _version(),
        "platform": this_platform(),
    }


def _application(name: str, answer: Mapping[str, Any]) -> Application:
    """Return an application; what an answer leaves out, as some servers do, is what the program says of itself."""
    given = {key: value for key, value in answer.items() if value is not None}
    known = {"onboarded": False, "privacy": Privacy.OPEN, **_tracked(name), **given}
    return decoding.structure(known, Application)


def _version() -> str:
    try:
        return metadata.version("pieces_orm")
    except metadata.PackageNotFoundError:
        return "0"
