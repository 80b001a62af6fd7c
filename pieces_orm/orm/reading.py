"""Read documents and ids from the server; nothing here knows of entities."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..documents import answers, decoding
from ..documents.document import Document
from ..errors import InvalidValueError, NotFoundError, ResponseError, ServerError
from ..transport.connection import Connection
from ..wire.closed_lists import NO_SUCH_ROUTE
from ..wire.kinds import Kind, Route

# Ids of one batch read: the server's limit.
MAX_BATCH_SIZE = 50


def contents_query(route: Route, transferables: bool | None) -> dict[str, Any]:
    """Return the query that asks for contents or not; some routes spell it `transferable`, some do not know it."""
    if not isinstance(transferables, bool | None):
        message = f"transferables is True, False or None, not {transferables!r}."
        raise InvalidValueError(message)
    if transferables is None:
        return {}
    for name in ("transferables", "transferable"):
        if name in route.query:
            return {name: transferables}
    message = f"{route.path} does not take transferables: there are no contents to leave out."
    raise InvalidValueError(message)


def has_contents(query: Mapping[str, Any]) -> bool:
    """Tell whether an answer to this query carries contents."""
    return query.get("transferables") is not False and query.get("transferable") is not False


def read(connection: Connection, kind: Kind, id: str, query: Mapping[str, Any] | None = None) -> Document:
    """Read the server's document of one material.

    Raises:
        NotFoundError: it is gone or never was.
    """
    route = kind.route("read")
    query = {name: value for name, value in (query or {}).items() if name in route.query}
    try:
        data = connection.call(route, {kind.parameter: id}, query)
    except ServerError as error:
        if kind.missing_status != error.status:
            raise
        raise not_found(kind, id, error) from error
    return answers.one(data, kind.name, id, contents=has_contents(query))[1]


# Status 410 says that a material is gone; 404 may be another program's or a route's, 500 may be any failure.
GONE = 410


def missing(kind: Kind, message: str, status: int) -> NotFoundError:
    """Make the error for a material that no answer of its own says is gone."""
    route = kind.route("read")
    return NotFoundError(message, status=status, body="", method=route.method, path=route.path)


def not_found(kind: Kind, id: str, error: ServerError) -> NotFoundError:
    """Return the error for a failure by which servers say that there is no such material; to be raised from that."""
    message = f"There is no {kind.name} {id} (the server says so with status {error.status}: {error.body[:200]})."
    return NotFoundError(message, status=error.status, body=error.body, method=error.method, path=error.path)


def unconfirmed(error: NotFoundError) -> ResponseError:
    """Return the error that a status stands for, where the ids did not confirm that the material is gone."""
    return error.__cause__ if isinstance(error.__cause__, ServerError) else error


def unlisted(connection: Connection, kind: Kind, ids: Collection[str]) -> set[str]:
    """Return those ids that the server does not list; no request without ids.

    Raises:
        PiecesError: the ids cannot be read, so they confirm nothing.
    """
    if not ids:
        return set()
    pseudo = "pseudo" in kind.routes.get("ids", kind.route("all")).query
    return set(ids).difference(read_ids(connection, kind, {"pseudo": True} if pseudo else {}))


def read_ids(connection: Connection, kind: Kind, query: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the ids of a kind, from its identifiers route or else from the collection without contents."""
    if "ids" in kind.routes:
        data = connection.call(kind.route("ids"), query=query)
    else:
        route = kind.route("all")
        data = connection.call(route, query={"transferables": False} if "transferables" in route.query else {})
    return answers.listed_ids(data, kind.name)


def read_few(
    connection: Connection, kind: Kind, ids: Sequence[str], *, transferables: bool | None = None
) -> dict[str, Document]:
    """Read the documents of at most MAX_BATCH_SIZE materials; the missing are left out.

    Requests: one for a single one; else one, or one for each where the server has no batch route.

    Args:
        transferables: whether contents come with them; None: where it costs nothing.
    """
    asked = transferables if kind.newer_batch.query else None
    batch = BatchRead.of(connection, kind, len(ids), asked) if len(ids) > 1 else None
    found: dict[str, Document] = {}
    if batch is not None:
        try:
            return {id: each for id, each in batch.read(ids) if isinstance(each, Document)}
        except ResponseError as error:
            if not batch.is_unsupported(error):
                raise
    for id in ids:
        with suppress(NotFoundError):
            found[id] = read(
                connection, kind, id, dict.fromkeys(("transferables", "transferable"), bool(transferables))
            )
    return found


class BatchRead:
    """Batch reads of one kind by one route."""

    def __init__(self, connection: Connection, kind: Kind, route: Route, transferables: bool | None) -> None:
        self._route = route
        self._connection = connection
        self._kind = kind
        # Batch routes leave contents out unless asked: a read brings what `get` brings.
        wanted = True if transferables is None and route.query else transferables
        self._query = contents_query(route, wanted)

    @staticmethod
    def of(connection: Connection, kind: Kind, number: int, transferables: bool | None) -> BatchRead | None:
        """Return the batch reads for so many materials of a kind; None where one by one is better."""
        route = kind.routes.get("batch")
        if route is None and number > 1 and connection.may_have(kind.newer_batch.path):
            route = kind.newer_batch
        return None if route is None else BatchRead(connection, kind, route, transferables)

    def is_unsupported(self, error: Exception | None) -> bool:
        """Tell whether an error says that the server does not have this route; the connection remembers."""
        is_newer = self._route is self._kind.newer_batch
        if is_newer and isinstance(error, ResponseError) and error.status in NO_SUCH_ROUTE:
            self._connection.has_not(self._route.path)
            return True
        return False

    def read(self, ids: Sequence[str]) -> Iterator[tuple[str, Document | Exception]]:
        """Read one chunk; by id the document, or the error that there is none."""
        kind, asked = self._kind, {"iterable": [{"id": id} for id in ids]}
        # A server takes the key that it knows.
        body = decoding.encode(dict.fromkeys(kind.batch_keys, asked))
        data = self._connection.call(self._route, query=self._query, body=body, repeatable=True)
        page = answers.first_key(data, kind.batch_keys, kind.name)
        answered = dict(answers.split(page, kind.name, contents=has_contents(self._query)))
        for id in ids:
            yield id, answered[id] if id in answered else missing(kind, f"There is no {kind.name} {id}.", 404)
