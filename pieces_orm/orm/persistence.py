"""Load, and save with read-compare-write.

A save reads the server's own fresh document, compares it with what each edit replaced, puts the edits in, and sends
the whole: what this version has never heard of goes back as it came. Nothing is forgotten before the server answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..documents import answers, decoding, merging
from ..documents.document import Document
from ..errors import ConflictError, NotFoundError
from . import associating

if TYPE_CHECKING:
    from ..model.diff import Changes
    from ..model.state import Edit
    from .entity import Entity


def load(entity: Entity, query: Mapping[str, Any], origin: str = "refresh") -> None:
    """Read a material and apply what the server says; one that is gone becomes DELETED.

    Raises:
        NotFoundError: it is gone or never was.
    """
    owner = entity.owner
    with owner.map.request() as number:
        document = _read(entity, query, origin)
        owner.map.apply(entity, document, number, origin)


def _read(entity: Entity, query: Mapping[str, Any], origin: str) -> Document:
    try:
        return associating.read(entity.owner, entity.kind, entity.id, query)
    except NotFoundError:
        associating.vanished(entity, origin)
        raise


def save(entity: Entity, *, overwrite: bool, transferables: bool | None) -> frozenset[str]:
    """Send the edits of an entity, first those of the document, then those with an endpoint of their own."""
    entity.check_usable()
    owner = entity.owner
    with owner.lock:
        edits = entity.pending()
    if not edits:
        return frozenset()
    for name in edits:
        # Before anything is sent: what can never be saved must not follow half of what can.
        entity.check_settable(entity.fields[name])
    if owner.signals.saving.receivers:
        values = {name: edit.mine for name, edit in edits.items()}
        owner.signals.ask(owner.signals.saving, type(entity), entity=entity, edits=values)
    in_document = {name: edit for name, edit in edits.items() if entity.fields[name].save is None}
    if in_document:
        _save_document(entity, in_document, overwrite=overwrite, transferables=transferables)
    for name, spec in entity.fields.items():
        if spec.save is not None and name in edits:
            _save_alone(entity, name, edits[name], spec.save, overwrite=overwrite)
    return frozenset(edits)


def _save_document(entity: Entity, edits: dict[str, Edit], *, overwrite: bool, transferables: bool | None) -> None:
    fresh = _read(entity, {}, "refresh")
    if not overwrite:
        _compare(entity, fresh, edits)
    _put(entity, fresh, patch(entity, edits), edits, transferables)


def put(entity: Entity, values: Mapping[str, Any]) -> None:
    """Send values by wire path in the server's own fresh document, whatever edits there are: those stay."""
    _put(entity, _read(entity, {}, "refresh"), values, {}, None)


def _put(
    entity: Entity, fresh: Document, values: Mapping[str, Any], edits: dict[str, Edit], transferables: bool | None
) -> None:
    owner, kind = entity.owner, entity.kind
    route = kind.route("update")
    query = associating.contents_query(route, transferables)
    with owner.map.writing(kind, entity.id):
        data = owner.call(route, {}, query, merging.merge(fresh, dict(values)))
        contents = associating.has_contents(query)
        changes = _applied(entity, edits, answers.one(data, kind.name, entity.id, contents=contents)[1])
    owner.map.finish(entity, changes, "local")


def _save_alone(entity: Entity, name: str, edit: Edit, method: str, *, overwrite: bool) -> None:
    """Save a field by its own endpoint, and read the document that this left behind."""
    owner = entity.owner
    fresh = _read(entity, {}, "refresh")
    where = entity.fields[name].where
    if where is not None:
        fresh = associating.with_members(entity, where[0], fresh)
    if not overwrite:
        _compare(entity, fresh, {name: edit})
    with owner.map.writing(entity.kind, entity.id):
        getattr(entity, method)(edit.mine, fresh)
        changes = _applied(entity, {name: edit}, associating.read(owner, entity.kind, entity.id))
    owner.map.finish(entity, changes, "local")


def rename(entity: Entity, transferables: bool | None) -> None:
    """Let the server name a material, and apply what it answers."""
    owner, kind = entity.owner, entity.kind
    query = {"transferables": transferables}
    with owner.map.writing(kind, entity.id):
        data = owner.call(kind.route("rename"), {kind.parameter: entity.id}, query)
        answer = answers.one(data, kind.name, entity.id, contents=associating.has_contents(query))[1]
        changes = _applied(entity, {}, answer)
    owner.map.finish(entity, changes, "local")


def _applied(entity: Entity, edits: dict[str, Edit], answer: Document) -> Changes:
    """Make the answer to a write the entity's document, and forget the edits that it carries."""
    owner = entity.owner
    # An answer to a write is as new as the moment it arrives: reads sent before that are older.
    with owner.lock:
        changes = owner.map.merge(entity, answer, owner.map.now())
        entity.forget_edits(edits)
        owner.wrote(entity, answer)
    return changes


def _compare(entity: Entity, fresh: Document, edits: dict[str, Edit]) -> None:
    """Raise when the server's value of an edited field is neither what the edit replaced nor what it sets."""
    theirs: dict[str, Any] = {}
    for name, edit in edits.items():
        value = entity.decode(entity.fields[name], fresh)
        if value not in (edit.base, edit.mine):
            theirs[name] = value
    if theirs:
        names = ", ".join(sorted(theirs))
        message = (
            f"{names} of {entity!r} changed elsewhere since it was read. The edits stay: look at .base, .mine and "
            ".theirs of this error, then save(overwrite=True), or revert() and refresh()."
        )
        raise ConflictError(
            message,
            base={name: edits[name].base for name in theirs},
            mine={name: edits[name].mine for name in theirs},
            theirs=theirs,
        )


def patch(entity: Entity, edits: Mapping[str, Edit]) -> dict[str, Any]:
    """Edits as JSON data by wire path."""
    return {entity.fields[name].wire: decoding.plain(edit.mine) for name, edit in edits.items()}
