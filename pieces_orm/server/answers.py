"""Language models that answer questions: what they are asked, and calls of OpenAI-compatible servers."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec
from attrs import Attribute, field, frozen

from ..errors import UsageError

Role = Literal["user", "assistant", "system"]

# Seconds until a model's server accepts a connection. How long it may be silent is bounded by Settings.answer_timeout.
_CONNECT_TIMEOUT_S = 10.0
_CHECK_TIMEOUT_S = 2.0
_MAX_LINE_BYTES = 1024 * 1024
_MAX_ERROR_CHARS = 300

_INSTRUCTIONS = "Answer the question of the user."
_WITH_MATERIALS = f"{_INSTRUCTIONS} These materials of the user are about it:"


@frozen
class Material:
    """A material that a question names: its kind, its name and its text.

    `id` is None for a text that the question itself carries.
    """

    kind: str
    id: str | None
    name: str
    text: str


@frozen
class Message:
    """An earlier message of the conversation."""

    role: Role
    text: str


@frozen
class Question:
    """A question, with the materials that it names and the conversation before it, oldest message first."""

    text: str
    materials: tuple[Material, ...] = ()
    messages: tuple[Message, ...] = ()


Answers = Callable[[Question], "str | Iterable[str]"]
"""Answers a question, as a whole or in pieces. Called in a thread of its own."""


class ModelError(Exception):
    """The model did not answer; the message is a sentence for the user."""


def _check_url(_model: ChatModel, _attribute: Attribute[str], url: Any) -> None:
    parts = _split(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        message = (
            f"url takes the address of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1, not {url!r}."
        )
        raise UsageError(message)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return None
    return parts


@frozen
class ChatModel:
    """A model behind an OpenAI-compatible server, such as Ollama; for `Settings(answers=...)`.

    Nothing but `url` is ever called: neither redirects nor proxies are followed.

    Args:
        url: the base address, such as http://127.0.0.1:11434/v1; `/chat/completions` is added.
        name: the model's name at that server.
        key: sent as `Authorization: Bearer KEY`.
    """

    url: str = field(validator=_check_url)
    name: str
    key: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.name} at {self.url}"

    def __call__(self, question: Question) -> Iterator[str]:
        """Answer a question in pieces, as the model writes them.

        Raises:
            ModelError: when it is iterated: the server cannot be reached, answers an error, or breaks off.
        """
        return Completion(self, question)

    def check(self) -> None:
        """Look whether a model's server is there; returns within seconds, and asks the model nothing.

        *Requests*: one, `GET /models`.

        Raises:
            ModelError: nothing answers at `url`, or not as an OpenAI-compatible server does.
        """
        try:
            with closing(_connection(self.url, _CHECK_TIMEOUT_S)) as connection:
                connection.request("GET", _path(self.url, "models"), headers=self.headers())
                response = connection.getresponse()
                if response.status != 200:
                    raise ModelError(_refusal(self.url, response))
                if "json" not in response.headers.get_content_type():
                    raise _NotAnAnswerError
        except _FAILURES as error:
            raise _failed(self.url, error) from error

    def headers(self) -> dict[str, str]:
        """Build the headers of every request: the key, and that the connection serves for one request."""
        return {"Connection": "close", **({} if self.key is None else {"Authorization": f"Bearer {self.key}"})}

    def body(self, question: Question) -> bytes:
        """Build the body of the request for a question."""
        materials = [f"## {each.kind}: {each.name}\n\n{each.text}" for each in question.materials]
        instructions = "\n\n".join([_WITH_MATERIALS if materials else _INSTRUCTIONS, *materials])
        messages = [Message("system", instructions), *question.messages, Message("user", question.text)]
        told = [{"role": message.role, "content": message.text} for message in messages]
        return msgspec.json.encode({"model": self.name, "stream": True, "messages": told})


class _NotAnAnswerError(Exception):
    """An answer that is not one of an OpenAI-compatible server."""


_FAILURES = (OSError, http.client.HTTPException, _NotAnAnswerError)


class Completion:
    """The pieces of one answer; `close` ends it at once, from any thread, also while it waits for the model."""

    def __init__(self, model: ChatModel, question: Question) -> None:
        self._model = model
        self._question = question
        self._socket: socket.socket | None = None
        self._closed = False
        self._pieces = self._read()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    def close(self) -> None:
        """End the answer: what waits for the model then raises or ends."""
        self._closed = True
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> Iterator[str]:
        try:
            # Not requests: it does not let go of its socket while it waits for an answer to begin.
            with closing(_connection(self._model.url)) as connection, self._send(connection) as response:
                if response.status != 200:
                    raise ModelError(_refusal(self._model.url, response))
                yield from _pieces(response)
        except _FAILURES as error:
            if not self._closed:
                raise _failed(self._model.url, error) from error

    def _send(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        connection.connect()
        connection.sock.settimeout(None)
        self._socket = connection.sock
        if self._closed:
            raise ConnectionAbortedError("the answer was closed")
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", **self._model.headers()}
        connection.request(
            "POST", _path(self._model.url, "chat/completions"), self._model.body(self._question), headers
        )
        return connection.getresponse()


def _connection(url: str, timeout_s: float = _CONNECT_TIMEOUT_S) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_s)


def _path(url: str, operation: str) -> str:
    return f"{urlsplit(url).path.rstrip('/')}/{operation}"


def _failed(url: str, error: Exception) -> ModelError:
    """Say why a model did not answer, and what to do."""
    if isinstance(error, _NotAnAnswerError):
        return ModelError(f"What the model at {url} sent is not an OpenAI-compatible answer{_hint(url) or '.'}")
    if isinstance(error, ConnectionRefusedError):
        return ModelError(f"The model at {url} did not answer: its server is not running there; start it.")
    return ModelError(f"The model at {url} did not answer: {str(error) or type(error).__name__}.")


def _hint(url: str) -> str:
    """Ask about the usual mistake in an address, if it can be that."""
    return "" if url.rstrip("/").endswith("/v1") else "; does the address end in /v1?"


def _refusal(url: str, response: http.client.HTTPResponse) -> str:
    """Say what a model's server answered instead of an answer."""
    text = response.read(_MAX_LINE_BYTES)
    try:
        said = _error_in(msgspec.json.decode(text)) or ""
    except (msgspec.DecodeError, RecursionError):
        said = text.decode("utf-8", "replace").strip()
    detail = f": {said[:_MAX_ERROR_CHARS]}" if said else ""
    hint = _hint(url) if response.status == 404 else ""
    return f"The model at {url} answered with status {response.status}{detail}{hint or '.'}"


def _error_in(event: Any) -> str | None:
    """Find the message of an error: of OpenAI an object, of others a text."""
    error = event.get("error") if isinstance(event, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) else None


def _pieces(response: http.client.HTTPResponse) -> Iterator[str]:
    """Yield the pieces of an answer: of a stream of events, or of one JSON object by servers that do not stream."""
    content_type = response.headers.get_content_type()
    if "json" in content_type:
        piece, finished = _piece(response.read(_MAX_LINE_BYTES))
        if not piece and not finished:
            raise _NotAnAnswerError
        yield piece
        return
    is_stream = content_type == "text/event-stream"
    while line := response.readline(_MAX_LINE_BYTES):
        if not line.startswith(b"data:"):
            continue  # comments, names of events, and the empty line between two
        is_stream = True
        data = line[len(b"data:") :].strip()
        if data == b"[DONE]":
            return
        piece, finished = _piece(data)
        if piece:
            yield piece
        if finished:
            return
    if not is_stream:
        raise _NotAnAnswerError
    raise ConnectionAbortedError("it broke off its answer")


def _piece(data: bytes) -> tuple[str, bool]:
    """Return the text of an event, and whether the answer is complete with it."""
    try:
        event = msgspec.json.decode(data)
        error = _error_in(event)
        if error is not None:
            raise ModelError(f"The model failed: {error[:_MAX_ERROR_CHARS]}")
        choice = next(iter(event.get("choices") or [{}]))
        said = choice.get("delta") or choice.get("message") or {}
        return str(said.get("content") or ""), choice.get("finish_reason") is not None
    except (msgspec.DecodeError, AttributeError, TypeError, RecursionError):
        raise _NotAnAnswerError from None
