"""Commands on one material, or on many: delete and score. They need only ids, so no document is read first."""

from __future__ import annotations

from collections.abc import Sequence

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..documents import decoding
from ..errors import InvalidValueError, NotFoundError, ServerError
from ..model.record import Record, check_usable
from ..model.state import DELETED
from ..values import Progress
from ..wire.closed_lists import SCORE_REASONS
from . import loading, own_writes, reading, state_changes
from .context import Context


def increment_score(context: Context, record: Record, reason: str) -> None:
    """Count one use of a material."""
    check_usable(record)
    if reason not in SCORE_REASONS:
        message = f"{reason!r} is not a reason for a score; the reasons are {', '.join(SCORE_REASONS)}."
        raise InvalidValueError(message)
    kind = record._schema.kind
    route = kind.route("score")
    body = decoding.encode({kind.score: {reason: True}})
    with own_writes.marked(context, [(type(record), record.id)], "score"):
        context.connection.call(route, {kind.parameter: record.id}, body=body)


def ask_to_delete(context: Context, record: Record) -> None:
    """Let receivers of `deleting` veto a deletion."""
    if context.signals.deleting.receivers:
        context.signals.ask(context.signals.deleting, type(record), entity=record)


def delete(context: Context, record: Record, *, is_asked: bool = False) -> None:
    """Delete a material; one that is certainly gone counts as done.

    Args:
        is_asked: receivers of `deleting` have been asked.

    Raises:
        NotFoundError, ServerError: the server did not find it, or failed, and it is not certainly gone.
    """
    [error] = delete_all(context, [record], None, is_asked=is_asked)
    if error is not None:
        raise error


def delete_all(
    context: Context, records: Sequence[Record], progress: Progress | None, *, is_asked: bool = False
) -> list[Exception | None]:
    """Delete materials of one kind, a few at a time; return the error of each, None where there is none.

    Requests: one POST for each; one read of the ids, if an answer leaves open whether materials are gone.
    """
    beside = own_writes.related(context, records) if context.watching.is_active else []
    with own_writes.marked(context, beside, "beside") as unchanged:
        errors = parallel.do_all(
            records,
            lambda record: _delete(context, record, is_asked=is_asked),
            concurrency=context.concurrency,
            progress=progress,
        )
        if any(errors):
            # Which of them the others have touched is not known any more.
            unchanged.update(beside)
    missing = {
        record.id: error for record, error in zip(records, errors, strict=True) if isinstance(error, NotFoundError)
    }
    if missing:
        outcome = loading.remove_gone(context, type(records[0]), missing, "local")
        for place, record in enumerate(records):
            if record.id in missing:
                errors[place] = None if record._state.state is DELETED else outcome[record.id]
    return errors


def _delete(context: Context, record: Record, *, is_asked: bool) -> Act:
    check_usable(record)
    kind = record._schema.kind
    route = kind.route("delete")
    if not is_asked:
        ask_to_delete(context, record)
    with context.history.writing(kind, record.id):
        yield
        try:
            context.connection.call(route, {kind.parameter: record.id})
        except ServerError as error:
            # Servers say "no such material" to writes with a 500, and of some kinds with another status.
            if error.status not in (500, kind.missing_status):
                raise
            raise reading.not_found(kind, record.id, error) from error
        yield
        context.watching.announce(record, context.history.now())
        changes = state_changes.remove(context, record)
    if changes is not None:
        state_changes.tell_deleted(context, record, changes, "local")
