"""Reading many materials: by batch reads where the server has them, else one by one, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..concurrency import parallel
from ..concurrency.parallel import Act, Progress
from ..documents import answers, decoding
from ..documents.document import Document
from ..errors import NotFoundError, ResponseError
from ..wire.kinds import Kind, Route
from . import associating

if TYPE_CHECKING:
    from ..session import Session

# The server's limit of one batch read.
CHUNK = 50

# Called with an id and the document of that material, or the error that it came to.
Take = Callable[[str, "Document | Exception"], None]


def read(
    owner: Session,
    kind: Kind,
    ids: Sequence[str],
    transferables: bool | None,
    take: Take,
    progress: Progress | None = None,
) -> None:
    """Read many materials; each is taken as it comes, in order, on this thread."""
    done = 0

    def took(id: str, found: Document | Exception) -> None:
        nonlocal done
        take(id, found)
        done += 1
        if progress is not None:
            progress(done, len(ids))

    route = kind.routes.get("batch")
    if route is None and len(ids) > 1 and owner.may_have(kind.newer_batch):
        route = kind.newer_batch
    if route is None or not _in_chunks(owner, ids, _Batch(owner, kind, route, transferables, took)):
        _one_by_one(owner, kind, ids, transferables, took)


def _in_chunks(owner: Session, ids: Sequence[str], batch: _Batch) -> bool:
    """Read in chunks, a few at a time; False when the server does not have the route."""
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    # The first goes alone: it tells whether the server has a route of newer versions.
    first, *others = chunks or [ids]
    [error] = parallel.do_all([first], batch.act)
    if isinstance(error, ResponseError) and batch.is_missing(error):
        owner.has_not(batch.route)
        return False
    errors = [error, *parallel.do_all(others, batch.act, concurrency=owner.concurrency)]
    if errors[0] is not None and all(errors):
        raise errors[0]
    for chunk, failed in zip([first, *others], errors, strict=True):
        if failed is not None:
            for id in chunk:
                batch.take(id, failed)
    return True


def _one_by_one(owner: Session, kind: Kind, ids: Sequence[str], transferables: bool | None, take: Take) -> None:
    query = associating.contents_query(kind.route("read"), transferables)

    def act(id: str) -> Act:
        yield
        document = associating.read(owner, kind, id, query)
        yield
        take(id, document)

    for id, error in zip(ids, parallel.do_all(ids, act, concurrency=owner.concurrency), strict=True):
        if error is not None:
            take(id, error)


class _Batch:
    """Batch reads of one kind by one route."""

    def __init__(self, owner: Session, kind: Kind, route: Route, transferables: bool | None, take: Take) -> None:
        self.route = route
        self._owner = owner
        self._kind = kind
        # Batch routes leave contents out unless asked: a read brings what `get` brings.
        wanted = True if transferables is None and route.query else transferables
        self._query = associating.contents_query(route, wanted)
        self.take = take

    def is_missing(self, error: ResponseError) -> bool:
        """Whether an error says that the server does not have this route."""
        return self.route is self._kind.newer_batch and error.status in associating.NO_ROUTE

    def act(self, ids: Sequence[str]) -> Act:
        """Read one chunk."""
        yield
        found = list(self._documents(ids))
        yield
        for id, document in found:
            self.take(id, document)

    def _documents(self, ids: Sequence[str]) -> Iterator[tuple[str, Document | Exception]]:
        key, kind, route = self._kind.batch_key, self._kind, self.route
        body = decoding.encode({key: {"iterable": [{"id": id} for id in ids]}})
        data = self._owner.call(route, query=self._query, body=body, repeatable=True)
        page = answers.one_key(data, key, kind.name)
        answered = dict(answers.split(page, kind.name, contents=associating.has_contents(self._query)))
        for id in ids:
            if id in answered:
                yield id, answered[id]
            else:
                message = f"There is no {kind.name} {id}."
                yield id, NotFoundError(message, status=410, body="", method=route.method, path=route.path)
