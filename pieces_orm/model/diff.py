"""Apply a newer document to a record in place, and report what changed by it.

Called under the session's lock. Only fields and relations that are declared on keys whose slices differ are visited;
there, decoded values are compared: a timestamp's `readable` ages without anything having changed.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field

from ..documents import merging
from ..documents.document import Document
from ..errors import DecodeError
from .fields import Field
from .record import EMPTY, Record, cache, cached, evict, evict_all, try_decode
from .relation import Relation
from .state import LOADED


@define(eq=False)
class Changes:
    """The difference that a newer document made: previous values by field, and ids that entered or left relations."""

    before: dict[str, Any] = field(factory=dict)
    linked: list[tuple[Relation[Any], str]] = field(factory=list)
    unlinked: list[tuple[Relation[Any], str]] = field(factory=list)
    # Changes of other records that keep a copy of this one.
    others: list[tuple[Record, Changes]] = field(factory=list)
    # The document was requested before a stream last reported its material.
    outdated: bool = False
    # The number of the request whose answer was shown before.
    since: int = 0

    def compare_ids(self, relation: Relation[Any], known: tuple[str, ...] | None, current: tuple[str, ...]) -> None:
        """Add the ids that entered or left a relation, if any were known before."""
        if known is not None and relation.is_told:
            entered, left = set(current) - set(known), set(known) - set(current)
            self.linked += [(relation, id) for id in current if id in entered]
            self.unlinked += [(relation, id) for id in known if id in left]


def apply(record: Record, new: Document, *, first: bool, is_own: bool = False) -> Changes:
    """Make a document the record's own, and return the difference.

    Values that are unaffected stay decoded, edits stay edits, and contents that the new document was asked to leave
    out stay known.

    Args:
        first: nothing was known before, so nothing has changed.
        is_own: the document answers a write of fields by this session, which changes no relation that it leaves out.
    """
    state, schema = record._state, record._schema
    old = state.document
    changes = Changes()
    if old is None or first:
        evict_all(record)
    else:
        keys = _differing_keys(old, new)
        fields = {spec.name for key in keys for spec in schema.fields_by_key.get(key, ())}
        is_same = not keys and old.contents == new.contents
        # Values that were read from other documents may have changed without this one.
        fields.update(spec.name for spec in schema.sometimes_unsaid if not is_same or cached(record, spec) is not EMPTY)
        for spec in (schema.fields[name] for name in schema.fields if name in fields):
            if not (is_own and spec.is_left_out(new)):
                _apply_field(record, spec, old, new, changes)
        relations = {each.name for key in keys for each in schema.relations_by_key.get(key, ())}
        relations.update(state.ids or (), state.former_ids or ())
        for relation in (schema.relations[name] for name in schema.relations if name in relations):
            _apply_relation(record, relation, old, new, changes, is_own=is_own)
    state.apply(new)
    return changes


def replace_copy(record: Record, relation: Relation[Any], id: str, member: Document | None) -> Changes:
    """Replace the copy of a related material in a loaded record's document, or take it out, and return the difference.

    Args:
        member: the related material's own document, newer than the copy; None: it is not related any more.
    """
    state, changes = record._state, Changes()
    old = state.document
    if old is None or state.state is not LOADED:
        return changes
    specs = [spec for spec in record._schema.fields.values() if spec.copied_from == relation.name]
    if old.get(relation.wire) is not None:
        state.document = merging.put_member(old, relation.wire, id, member)
        for spec in specs:
            _apply_field(record, spec, old, state.document, changes)
        return changes
    for spec in specs:
        # The document leaves the relation out: the value was read from the related materials apart.
        previous = cached(record, spec)
        raw = None if member is None else spec.read_member(member)
        if previous is EMPTY or (member is not None and raw is None):
            continue
        # With several, only a read tells from which of them the server takes the value.
        is_only = len(state.cached_ids(relation.name) or ()) == 1
        current = try_decode(spec, raw) if raw is not None and is_only else EMPTY
        if current is EMPTY:
            _age(record, spec, previous)
        elif current != previous:
            evict(record, spec)
            cache(record, spec, current)
            changes.before[spec.name] = previous
    return changes


def forget_copies(record: Record, relation: Relation[Any]) -> None:
    """Forget the copies of related materials in a record's document, so that they are asked for when they are read."""
    state = record._state
    if state.document is not None:
        state.document = merging.without_key(state.document, relation.wire)
    for spec in record._schema.fields.values():
        if spec.copied_from == relation.name:
            evict(record, spec)


def _differing_keys(old: Document, new: Document) -> set[str]:
    if old.data == new.data:
        return set()
    before, after = old.keys, new.keys
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _apply_field(record: Record, spec: Field, old: Document, new: Document, changes: Changes) -> None:
    value = cached(record, spec)
    if spec.is_left_out(new):
        # Left out, not gone: it is asked for again when it is read.
        _age(record, spec, value)
        return
    if value is EMPTY and spec.copied_from:
        value = record._state.take_former_value(spec.name, EMPTY)
    before, after = spec.locate(old), spec.locate(new)
    if spec.contents and after is None and not new.contents:
        if value is EMPTY and before is not None:
            cache(record, spec, try_decode(spec, before))
        return
    were_contents_unknown = spec.contents and not old.contents
    if before == after and not were_contents_unknown:
        return
    if value is EMPTY and before is None and were_contents_unknown:
        return  # never known: learning it is no change
    previous = value if value is not EMPTY else try_decode(spec, before)
    current = try_decode(spec, after)
    if current is EMPTY or current != previous:
        evict(record, spec)
        changes.before[spec.name] = None if previous is EMPTY else previous


def _age(record: Record, spec: Field, value: Any) -> None:
    """Make the value of a field unknown, and keep it for comparison with the one that is read next."""
    if value is not EMPTY and not record._state.is_edited(spec.name):
        record._state.age_value(spec.name, value)
        evict(record, spec)


def _apply_relation(
    record: Record, relation: Relation[Any], old: Document, new: Document, changes: Changes, *, is_own: bool
) -> None:
    state = record._state
    known = state.cached_ids(relation.name)
    if known is None:
        known = (state.former_ids or {}).get(relation.name)
    if known is None:
        if old.get(relation.wire) == new.get(relation.wire):
            return
        known = _ids(relation, old)
    current = _ids(relation, new)
    if current is None:
        # A relation that the new document leaves out is unknown, not empty: it is read again when it is asked for.
        if known is not None and is_own:
            state.cache_ids(relation.name, known)
        elif known is not None:
            state.age_ids(relation.name, known)
        return
    state.cache_ids(relation.name, current)
    changes.compare_ids(relation, known, current)


def _ids(relation: Relation[Any], document: Document) -> tuple[str, ...] | None:
    """Return the ids that a document names; None when it leaves them out or they cannot be read."""
    try:
        return relation.ids_in(document)
    except DecodeError:
        return None
