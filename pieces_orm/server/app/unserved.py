"""The operations of Pieces OS that this server lacks: accounts, the cloud, models that run, the machine itself.

They answer 501, so that a program can tell them from a path that does not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import metadata

from starlette.responses import Response

from ..contract import contract
from ..http.requests import Request
from ..http.responses import error_response, text_response

_SENTENCE = (
    "This operation of Pieces OS is not served: "
    "this server has no accounts, no cloud, no models of its own and no capture."
)
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


def introduction(request: Request) -> Response:
    """Say what this server is to people who open its address; in Pieces OS it is the page of a share, named by `p`."""
    if "p" in request.query:
        return not_served()
    return text_response(
        f"pieces_orm {metadata.version('pieces_orm')}, a server that speaks the protocol of Pieces OS "
        f"{request.service.settings.version}.\n"
        "Programs that look for Pieces OS at this address find their materials here: /assets, /tags and so on.\n"
        "/.well-known/health says whether the server is well, /.well-known/version which Pieces OS it stands for."
    )


def upgrade_required(_request: Request) -> Response:
    """Answer that the path is a stream."""
    response = error_response(426, "This path is a WebSocket.")
    response.headers["upgrade"] = "websocket"
    return response
