"""The operations of Pieces OS that this server lacks: accounts, the cloud, models that run, the machine itself.

They answer 501, so that a program can tell them from a path that does not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from starlette.responses import Response

from ..contract import contract
from ..http.requests import Request
from ..request_errors import RequestError


def unserved(served: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield method and path of each operation of the contract that is not among `served`."""
    for method, paths in contract().operations.items():
        yield from ((method, path) for path in paths if (method, path) not in served)


def refuse(_request: Request) -> Response:
    """Refuse a request.

    Raises:
        RequestError: 501, always.
    """
    raise RequestError(501, "The embedded server of pieces_orm keeps materials; it does not do this.")
