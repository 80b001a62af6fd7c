"""Responses as handlers build them."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response


def json_response(text: str | bytes) -> Response:
    """Build a response from a body that is JSON already."""
    return Response(text, media_type="application/json")


def text_response(text: str, status: int = 200) -> Response:
    """Build a plain-text response."""
    return Response(text, status, media_type="text/plain")


def no_content() -> Response:
    """Build a 204."""
    return Response(None, 204)


def error_response(status: int, sentence: str = "", *, close: bool = False) -> Response:
    """Build an error: a sentence in plain text, by default the status's own phrase.

    Args:
        close: close the connection then, because the rest of the body is not read.
    """
    response = text_response(sentence or HTTPStatus(status).phrase, status)
    if close:
        response.headers["connection"] = "close"
    return response
