"""The operations of Pieces OS that this server lacks: accounts, the cloud, models that run, the machine itself.

They answer 501, so that a program can tell them from a path that does not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from starlette.responses import Response

from ..contract import contract
from ..http.requests import Request
from ..http.responses import error_response

_SENTENCE = "The embedded server of pieces_orm keeps materials; it does not do this."
_STREAM = "WEBSOCKET"


def unserved(served: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield method and path of each operation of the contract that is not among `served`."""
    for method, paths in contract().operations.items():
        if method != _STREAM:
            yield from ((method, path) for path in paths if (method, path) not in served)


def unserved_streams(served: Collection[str]) -> Iterator[str]:
    """Yield the path of each stream of the contract that is not among `served`."""
    yield from (path for path in contract().operations[_STREAM] if path not in served)


def not_served() -> Response:
    """Build the answer of what is not served."""
    return error_response(501, _SENTENCE)


def refuse(_request: Request) -> Response:
    """Refuse a request."""
    return not_served()


def upgrade_required(_request: Request) -> Response:
    """Answer that the path is a stream."""
    response = error_response(426, "This path is a WebSocket.")
    response.headers["upgrade"] = "websocket"
    return response
