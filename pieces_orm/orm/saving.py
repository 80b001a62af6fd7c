"""Save entities: which of their edits, asking receivers first, one at a time or many."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from ..concurrency import parallel
from ..concurrency.parallel import Act
from ..errors import BatchError, PiecesError
from ..model.record import Record, check_usable, editing_of, own_edits
from ..values import Progress
from . import emitting, persistence
from .context import Context

R = TypeVar("R", bound=Record)


def save(context: Context, record: Record, *, overwrite: bool, transferables: bool | None) -> frozenset[str]:
    """Send the edits of an entity; return the names of the fields.

    Edits that open blocks of other threads have set are left to them. Saves of one entity wait for each other.
    """
    sent: dict[Record, frozenset[str]] = {}
    parallel.do(_saving(context, record, sent, overwrite=overwrite, transferables=transferables))
    return sent.get(record, frozenset())


def save_all(
    context: Context,
    records: Sequence[R],
    progress: Progress | None = None,
    *,
    overwrite: bool = False,
    names: Collection[str] | None = None,
) -> list[R]:
    """Save several entities, a few at a time; return those of which edits were sent.

    Args:
        names: of the fields to save; None: all that have edits.

    Raises:
        BatchError: some were not saved, and keep their edits; also for an only one.
    """
    sent: dict[Record, frozenset[str]] = {}
    vetoes: dict[Record, Exception] = {}

    def act(record: Record) -> Act:
        try:
            yield from _saving(context, record, sent, overwrite=overwrite, transferables=None, names=names)
        except PiecesError:
            raise
        except Exception as veto:  # noqa: BLE001 of a receiver, which speaks of this entity alone
            vetoes[record] = veto

    errors = parallel.do_all(records, act, concurrency=context.concurrency, progress=progress)
    found = {record: error or vetoes.get(record) for record, error in zip(records, errors, strict=True)}
    failed = {record.id: error for record, error in found.items() if error is not None}
    if failed:
        first = next(iter(failed.values()))
        message = f"{len(failed)} of {len(records)} could not be saved; they keep their edits. The first error: {first}"
        raise BatchError(message, succeeded=[each.id for each in records if each.id not in failed], failed=failed)
    return [record for record in records if sent.get(record)]


def _saving(
    context: Context,
    record: Record,
    sent: dict[Record, frozenset[str]],
    *,
    overwrite: bool,
    transferables: bool | None,
    names: Collection[str] | None = None,
) -> Act:
    check_usable(record)
    thread = threading.get_ident()
    asked = _asked_edits(context, record, thread, names)
    if not asked:
        return
    with context.lock:
        saving = editing_of(record).saving
    emitted: persistence.Emitted = []
    events: list[Any] = []
    failed: BaseException | None = None
    yield
    try:
        # Receivers never run under the lock: they may save, and wait for other threads.
        with context.signals.kept(events), saving:
            with context.lock:
                # Another save may have sent some of them meanwhile.
                edits = {name: edit for name, edit in own_edits(record, thread).items() if name in asked}
            if edits:
                persistence.send(context, record, edits, emitted, overwrite=overwrite, transferables=transferables)
            sent[record] = frozenset(edits)
    except BaseException as error:  # noqa: BLE001 raised below
        failed = error
    yield
    context.signals.emit_all(events)
    for changes, fields in emitted:
        emitting.emit_changes(context, record, changes, "local", sent=fields, theirs="refresh")
    if failed is not None:
        raise failed


def _asked_edits(context: Context, record: Record, thread: int, names: Collection[str] | None) -> persistence.Edits:
    """Return the edits to save, with what receivers of `saving` have set; those that cannot be saved are refused."""
    edits = _savable_edits(context, record, thread, names)
    if edits and context.signals.saving.receivers:
        values = {name: edit.mine for name, edit in edits.items()}
        context.signals.ask(context.signals.saving, type(record), entity=record, edits=values)
        edits = _savable_edits(context, record, thread, names)
    for name, edit in edits.items():
        spec = record._schema.fields[name]
        if isinstance(spec, persistence.EndpointField):
            spec.ask(context, record, edit.mine)
    return edits


def _savable_edits(context: Context, record: Record, thread: int, names: Collection[str] | None) -> persistence.Edits:
    with context.lock:
        edits = {name: edit for name, edit in own_edits(record, thread).items() if names is None or name in names}
    for name in edits:
        # Before anything is sent: what can never be saved must not follow half of what can.
        persistence.check_settable(record, record._schema.fields[name])
    return edits
