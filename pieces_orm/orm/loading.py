"""Load materials into the identity map: one, many, a whole collection."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Raw

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..documents import answers
from ..documents.document import Document
from ..errors import BatchError, NotFoundError, NotLoadedError, PiecesError
from ..model.record import Record, check_usable
from ..model.state import DELETED, EXPIRED, HANDLE
from ..values import Arrivals, Progress
from ..wire.kinds import Kind
from . import reading, state_changes
from .context import Context
from .reading import MAX_BATCH_SIZE, BatchRead

R = TypeVar("R", bound=Record)
# Called with an id and the document of that material, or the error that its read came to.
TakeDocument = Callable[[str, "Document | Exception"], None]


# Materials that are gone --------------------------------------------------------------------------------------------


def remove_gone(context: Context, cls: type[Record], errors: Mapping[str, Exception], origin: str) -> dict[str, Any]:
    """Make those held entities DELETED that are certainly gone; return the errors to raise, by id.

    Status 410 is certain; of any other answer the server's ids must confirm that the material is gone. Without that
    the entity stays as it is, and its error is the one that the status stands for.

    Requests: one read of the ids, if an error of a held entity is doubtful.

    Args:
        errors: by id; those that do not say that a material is missing are returned as they are.
    """
    missing = {id: error for id, error in errors.items() if isinstance(error, NotFoundError)}
    found = {id: context.identity_map.peek(cls, id) for id in missing}
    held = {id: entity for id, entity in found.items() if entity is not None}
    doubtful = [id for id in held if missing[id].status != reading.GONE]
    try:
        gone = reading.unlisted(context.connection, cls._schema.kind, doubtful)
    except PiecesError:
        gone = set()
    outcome = dict(errors)
    for id, entity in held.items():
        if id in doubtful and id not in gone:
            outcome[id] = reading.unconfirmed(missing[id])
        elif origin == "local" or not context.history.writes_of(cls._schema.kind, id):
            # While a delete of this session is under way, its answer is the one that counts.
            state_changes.remove_missing(context, entity, origin)
    return outcome


# One ----------------------------------------------------------------------------------------------------------------


def read_record(context: Context, record: Record, query: Mapping[str, Any], origin: str = "refresh") -> Document:
    """Read the document of an entity; one that is gone becomes DELETED.

    Raises:
        NotFoundError: it is gone or never was.
    """
    try:
        return reading.read(context.connection, record._schema.kind, record.id, query)
    except NotFoundError as error:
        missing = error
    raise remove_gone(context, type(record), {record.id: missing}, origin)[record.id]


def load(context: Context, record: Record, query: Mapping[str, Any] | None = None, origin: str = "refresh") -> Document:
    """Read an entity, apply the answer, and return it."""
    with context.history.request() as number:
        document = read_record(context, record, query or {}, origin)
        state_changes.apply(context, record, document, number, origin)
    return document


def check_autoload(context: Context, record: Record, name: str) -> None:
    """Raise when a part of an entity that is not known may not be loaded by reading it.

    Raises:
        NotLoadedError: autoload is off. DeletedError, DetachedError: no request can be made any more.
    """
    check_usable(record)
    if not context.autoload:
        message = f"{name} of {record!r} is not loaded, and autoload is off: call refresh() first."
        raise NotLoadedError(message)


def get(context: Context, cls: type[R], id: str, query: Mapping[str, Any] | None = None) -> R:
    """Read one material and return its entity.

    Raises:
        NotFoundError: it is gone or never was.
    """
    kind = cls._schema.kind
    try:
        with context.history.request() as number:
            document = reading.read(context.connection, kind, id, query)
            entity = state_changes.adopt(context, cls, id, document, number, "refresh")
    except NotFoundError as error:
        missing = error
    else:
        if entity is not None:
            return entity
        missing = _deleted_meanwhile(kind, id)
    raise remove_gone(context, cls, {id: missing}, "refresh")[id]


def _deleted_meanwhile(kind: Kind, id: str) -> NotFoundError:
    return reading.missing(kind, f"{kind.name} {id} was deleted while the answer was on its way.", reading.GONE)


# Many ---------------------------------------------------------------------------------------------------------------


def fetch(
    context: Context,
    cls: type[R],
    ids: Sequence[str],
    *,
    transferables: bool | None = None,
    progress: Progress | None = None,
) -> dict[str, R | Exception]:
    """Read and apply many; return by id the entity, or the error that its read came to."""
    found: dict[str, R | Exception] = {}
    if not ids:
        return found

    def take(id: str, answer: Document | Exception) -> None:
        entity = (
            None if isinstance(answer, Exception) else state_changes.adopt(context, cls, id, answer, number, "refresh")
        )
        found[id] = entity or (answer if isinstance(answer, Exception) else _deleted_meanwhile(cls._schema.kind, id))
        if progress is not None:
            progress(len(found), len(ids))

    with context.history.request() as number:
        read_documents(context, cls._schema.kind, ids, take, transferables=transferables)
    errors = {id: each for id, each in found.items() if isinstance(each, Exception)}
    return found | remove_gone(context, cls, errors, "refresh")


def read_documents(
    context: Context, kind: Kind, ids: Sequence[str], take: TakeDocument, *, transferables: bool | None = None
) -> None:
    """Read the documents of many, by batch reads where the server has them; nothing is applied."""
    batch = BatchRead.of(context.connection, kind, len(ids), transferables)
    if batch is None or not _read_batches(context, batch, ids, take):
        _read_each(context, kind, ids, transferables, take)


def _read_each(
    context: Context, kind: Kind, ids: Sequence[str], transferables: bool | None, take: TakeDocument
) -> None:
    """Read materials one by one, a few at a time; the only one on this thread."""
    query = reading.contents_query(kind.route("read"), transferables)
    if len(ids) == 1:
        take(ids[0], _read_or_error(context, kind, ids[0], query))
        return

    def act(id: str) -> Act:
        yield
        document = reading.read(context.connection, kind, id, query)
        yield
        take(id, document)

    for id, error in zip(ids, parallel.do_all(ids, act, concurrency=context.concurrency), strict=True):
        if error is not None:
            take(id, error)


def _read_or_error(context: Context, kind: Kind, id: str, query: Mapping[str, Any]) -> Document | Exception:
    try:
        return reading.read(context.connection, kind, id, query)
    except PiecesError as error:
        return error


def _read_batches(context: Context, batch: BatchRead, ids: Sequence[str], take: TakeDocument) -> bool:
    """Read in chunks, a few at a time; False when the server does not have the route."""

    def act(chunk: Sequence[str]) -> Act:
        yield
        read = list(batch.read(chunk))
        yield
        for id, answer in read:
            take(id, answer)

    chunks = [ids[start : start + MAX_BATCH_SIZE] for start in range(0, len(ids), MAX_BATCH_SIZE)]
    # The first goes alone: it tells whether the server has a route of newer versions.
    first, *others = chunks or [ids]
    [error] = parallel.do_all([first], act)
    if batch.is_unsupported(error):
        return False
    errors = [error, *parallel.do_all(others, act, concurrency=context.concurrency)]
    if errors[0] is not None and all(errors):
        raise errors[0]
    for chunk, failed in zip([first, *others], errors, strict=True):
        if failed is not None:
            for id in chunk:
                take(id, failed)
    return True


def get_many(
    context: Context,
    cls: type[R],
    ids: Sequence[str],
    *,
    skip_missing: bool,
    transferables: bool | None = None,
    progress: Progress | None = None,
) -> list[R]:
    """Return the entities with these ids, fresh, in order.

    Raises:
        BatchError: some could not be read, or are not there; the others are applied.
    """
    found = fetch(context, cls, ids, transferables=transferables, progress=progress)
    failed = _failed(context, cls, found, skip_missing=skip_missing)
    if failed:
        raise _batch_error(cls, found, failed)
    return [each for id in ids if isinstance(each := found[id], cls)]


def _failed(
    context: Context, cls: type[R], found: Mapping[str, R | Exception], *, skip_missing: bool
) -> dict[str, Exception]:
    """Return the errors of a read of many; of materials that are missing only where they are not skipped."""
    failed = {id: each for id, each in found.items() if isinstance(each, Exception)}
    if not skip_missing:
        return failed
    # One that is held still although the server did not find it is not certainly gone: nothing is left out silently.
    held = {id for id in failed if context.identity_map.peek(cls, id) is not None}
    return {id: error for id, error in failed.items() if id in held or not isinstance(error, NotFoundError)}


def _batch_error(cls: type[R], found: Mapping[str, R | Exception], failed: Mapping[str, Exception]) -> BatchError:
    collection, first = cls._schema.kind.collection, next(iter(failed.values()))
    message = f"{len(failed)} of {len(found)} {collection} could not be read; the first: {first}"
    return BatchError(message, succeeded=[id for id in found if id not in failed], failed=failed)


def read_all_documents(context: Context, kind: Kind, ids: Sequence[str], take: TakeDocument) -> None:
    """Do what `read_documents` does by one read of the whole collection, for very many."""
    found = dict(_read_page(context, kind, {}, None))
    for id in ids:
        take(id, found[id] if id in found else _deleted_meanwhile(kind, id))


def snapshot(context: Context, cls: type[R], query: dict[str, Any], progress: Arrivals | None) -> list[R]:
    """Read the whole collection of a kind."""
    with context.history.request() as number:
        page = _read_page(context, cls._schema.kind, query, progress)
        return state_changes.adopt_page(context, cls, page, number, "refresh")


def _read_page(
    context: Context, kind: Kind, query: dict[str, Any], progress: Arrivals | None
) -> list[tuple[str, Document]]:
    from ..documents import page_stream  # noqa: PLC0415 a program that reads no collection does without it

    take = functools.partial(page_stream.read, kind=kind.name, contents=reading.has_contents(query), progress=progress)
    return context.connection.take(kind.route("all"), query, take)


def adopt_page(context: Context, cls: type[R], data: bytes | Raw, number: int, *, contents: bool = True) -> list[R]:
    """Return the entities of a collection that the server sent."""
    page = answers.split(data, cls._schema.kind.name, contents=contents)
    return state_changes.adopt_page(context, cls, page, number, "refresh")


def load_missing(context: Context, entities: Sequence[R], progress: Progress | None = None) -> list[R]:
    """Load those entities of which nothing is known, together; return the entities without those that are gone.

    Raises:
        BatchError: some could not be read, or were not found although the server lists them. The error of an only one
            is raised as it is.
    """
    by_class: defaultdict[type[R], dict[str, None]] = defaultdict(dict)
    for entity in entities:
        if entity._state.state in (HANDLE, EXPIRED):
            by_class[type(entity)][entity.id] = None
    for cls, missing in by_class.items():
        found = fetch(context, cls, list(missing), progress=progress)
        failed = _failed(context, cls, found, skip_missing=True)
        if failed:
            raise next(iter(failed.values())) if len(found) == 1 else _batch_error(cls, found, failed)
    return [entity for entity in entities if entity._state.state is not DELETED]
