"""Reading many materials: by batch reads where the server has them, else one by one, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from . import commands, conversion, documents
from .documents import Document
from .endpoints import Kind, Route
from .errors import NotFoundError, PiecesError, ResponseError

if TYPE_CHECKING:
    from .session import Session

# The server's limit of one batch read.
CHUNK = 50


def read(
    owner: Session, kind: Kind, ids: Sequence[str], transferables: bool | None
) -> Iterator[tuple[str, Document | Exception]]:
    """The documents of many materials by id, or the errors that they came to."""
    route = kind.routes.get("batch")
    if route is None and len(ids) > 1 and owner.may_have(kind.newer_batch):
        route = kind.newer_batch
    if route is None:
        yield from _one_by_one(owner, kind, ids, transferables)
        return
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        try:
            found = list(_batch(owner, kind, route, chunk, transferables))
        except ResponseError as error:
            if route is not kind.newer_batch or error.status not in commands.NO_ROUTE:
                raise
            owner.has_not(route)
            yield from _one_by_one(owner, kind, ids[start:], transferables)
            return
        yield from found


def _one_by_one(
    owner: Session, kind: Kind, ids: Sequence[str], transferables: bool | None
) -> Iterator[tuple[str, Document | Exception]]:
    query = commands.contents_query(kind.route("read"), transferables)
    found: dict[str, Document | Exception] = {}

    def read(id: str) -> None:
        try:
            found[id] = commands.read(owner, kind, id, query)
        except PiecesError as error:
            found[id] = error

    commands.each(ids, read, str, "read")
    yield from found.items()


def _batch(
    owner: Session, kind: Kind, route: Route, ids: Sequence[str], transferables: bool | None
) -> Iterator[tuple[str, Document | Exception]]:
    key = kind.batch_key
    # Batch routes leave contents out unless asked: a read brings what `get` brings.
    wanted = True if transferables is None and route.query else transferables
    query = commands.contents_query(route, wanted)
    body = conversion.encode({key: {"iterable": [{"id": id} for id in ids]}})
    data = owner.call(route, query=query, body=body, repeatable=True)
    page = documents.one_key(data, key, kind.name)
    answered = dict(documents.split(page, kind.name, contents=commands.has_contents(query)))
    for id in ids:
        if id in answered:
            yield id, answered[id]
        else:
            message = f"There is no {kind.name} {id}."
            yield id, NotFoundError(message, status=410, body="", method=route.method, path=route.path)
