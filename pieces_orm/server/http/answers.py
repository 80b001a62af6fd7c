"""Calls and answers: what a handler is given, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import frozen
from starlette.responses import Response

if TYPE_CHECKING:
    from ..service import Service


class RefusedError(Exception):
    """The request cannot be served: a status and one sentence for the client."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@frozen
class Call:
    """One request as handlers see it: decoded path parameters, the query, and the raw body."""

    service: Service
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean query parameter."""
        text = self.query.get(name)
        return default if text is None else text.lower() in {"true", "1"}

    def number(self, name: str) -> int | None:
        """A query parameter that is a whole number; None when it is not there, or is none."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    @property
    def contents(self) -> bool:
        """Whether the answer shall carry contents; the format routes spell the parameter without its s."""
        return self.flag("transferables", default=self.flag("transferable", default=True))

    def json(self) -> Any:
        """The decoded body, None when there is none."""
        if not self.body:
            return None
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedError(400, f"The body is not JSON: {error}.") from None

    def object(self) -> dict[str, Any]:
        """The body, which has to be a JSON object."""
        body = self.json()
        if not isinstance(body, dict):
            raise RefusedError(400, "The body has to be a JSON object.")
        return body


def part(value: Any, name: str) -> Mapping[str, Any]:
    """The JSON object under a name; an empty one when there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


Handler = Callable[[Call], Response]


@frozen
class Target:
    """What a route leads to; a quick handler is not worth the way to another thread, some want a user signed in."""

    handler: Handler
    quick: bool = False
    signed_in: bool = False


def json_answer(text: str | bytes, status: int = 200) -> Response:
    """An answer whose body is JSON already."""
    return Response(text, status, media_type="application/json")


def text_answer(text: str, status: int = 200) -> Response:
    """An answer in plain text."""
    return Response(text, status, media_type="text/plain")


def nothing() -> Response:
    """Done, and nothing to say."""
    return Response(None, 204)


def refusal(status: int, sentence: str = "") -> Response:
    """An error answer: a sentence in plain text."""
    return text_answer(sentence or HTTPStatus(status).phrase, status)
